/** The median; undefined of nothing. */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Half the distance between the largest and the smallest, as a share of the median. */
export function spread(values) {
  if (values.length < 2) return undefined;
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}
