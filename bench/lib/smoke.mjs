export async function smoke() { return 1; }
