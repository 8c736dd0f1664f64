/** Any Bluetooth adapter: `BDADDR_ANY` of bluetooth/bluetooth.h, as text. */
export const BDADDR_ANY = '00:00:00:00:00:00';

/** The local Bluetooth adapter: `BDADDR_LOCAL` of bluetooth/bluetooth.h, as text. */
export const BDADDR_LOCAL = '00:00:00:FF:FF:FF';
