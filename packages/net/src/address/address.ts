import type {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
  TIPC_ADDR_ID,
  TIPC_ADDR_NAME,
  TIPC_ADDR_NAMESEQ,
} from '../constants/index.ts';

/**
 * An IPv4 endpoint: `AF_INET`, and `AF_RDS`, which borrows its form.
 *
 * On input `host` may also be `''` (any address) or `'<broadcast>'` (255.255.255.255).
 */
export interface InetAddress {
  readonly host: string;
  /** 0…65535. */
  readonly port: number;
}

/** An IPv6 endpoint as the library returns it: `AF_INET6`. */
export interface Inet6Address extends InetAddress {
  /** The flow label, 20 bits. */
  readonly flowinfo: number;
  /** The index of the interface for a link-local address, else 0. */
  readonly scopeId: number;
}

/** An IPv6 endpoint as the library takes it. `host` may carry a zone: `fe80::1%eth0`. */
export interface Inet6AddressInput extends InetAddress {
  /** The flow label, 20 bits; 0 if omitted. */
  readonly flowinfo?: number;
  /** The index of the interface; the zone's, or 0, if omitted. */
  readonly scopeId?: number;
}

/**
 * The name of a Unix domain socket: `AF_UNIX`.
 *
 * A path, or an abstract name if it starts with `\0`; `''` is no name. The library returns a string
 * where the name is UTF-8, else a Buffer.
 */
export interface UnixAddress {
  readonly path: string | Uint8Array;
}

/** A link-layer endpoint as the library returns it: `AF_PACKET`, packet(7). */
export interface PacketAddress {
  /** The interface's name; `''` for any; its index where it has no name any more. */
  readonly interface: string | number;
  /** The EtherType, such as `ETH_P_IP`, in host byte order. */
  readonly protocol: number;
  /** `PACKET_HOST`, `PACKET_OUTGOING` …: to whom the packet was sent. */
  readonly pkttype: number;
  /** `ARPHRD_ETHER` …: the kind of hardware. */
  readonly hatype: number;
  readonly hwaddr: Uint8Array;
}

/** A link-layer endpoint as the library takes it; what is omitted is 0 or empty. */
export type PacketAddressInput = Pick<PacketAddress, 'interface'> & Partial<PacketAddress>;

/** A netlink endpoint: `AF_NETLINK`, netlink(7). `pid` 0 is the kernel, or lets bind choose. */
export interface NetlinkAddress {
  readonly pid: number;
  /** A bit mask of multicast groups. */
  readonly groups: number;
}

/** A host–guest endpoint: `AF_VSOCK`, vsock(7). */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

/** `CAN_RAW` and `CAN_BCM`: an interface, by name or index; `''` is every interface. */
export interface CanAddress {
  readonly interface: string | number;
}

/** `CAN_ISOTP`: the two CAN identifiers of a channel. */
export interface CanIsotpAddress extends CanAddress {
  readonly rxId: number;
  readonly txId: number;
}

/** `CAN_J1939` as the library returns it. */
export interface CanJ1939Address extends CanAddress {
  /** The 64-bit NAME; `J1939_NO_NAME` is 0. */
  readonly name: bigint;
  readonly pgn: number;
  readonly addr: number;
}

/** `CAN_J1939` as the library takes it. */
export interface CanJ1939AddressInput extends CanAddress {
  readonly name: bigint | number;
  readonly pgn: number;
  readonly addr: number;
}

interface TipcScope {
  /** `TIPC_CLUSTER_SCOPE` or `TIPC_NODE_SCOPE`; 0 if omitted. */
  readonly scope?: number;
}

/** A range of instances of a TIPC service. */
export interface TipcRangeAddress extends TipcScope {
  readonly addrType: typeof TIPC_ADDR_NAMESEQ;
  readonly type: number;
  readonly lower: number;
  readonly upper: number;
}

/** One instance of a TIPC service. */
export interface TipcServiceAddress extends TipcScope {
  readonly addrType: typeof TIPC_ADDR_NAME;
  readonly type: number;
  readonly instance: number;
  /** Where to look the service up: a node, or 0 for the whole cluster. */
  readonly domain?: number;
}

/** One TIPC socket. */
export interface TipcSocketAddress extends TipcScope {
  readonly addrType: typeof TIPC_ADDR_ID;
  readonly node: number;
  readonly ref: number;
}

/** `AF_TIPC`, linux/tipc.h. The library returns `scope` and `domain` always. */
export type TipcAddress = TipcRangeAddress | TipcServiceAddress | TipcSocketAddress;

/** An algorithm of the kernel's crypto interface: `AF_ALG`, linux/if_alg.h. */
export interface AlgAddress {
  /** `hash`, `skcipher`, `aead` or `rng`; at most 13 bytes. */
  readonly type: string;
  /** Such as `cbc(aes)`; at most 63 bytes. */
  readonly name: string;
  readonly feat: number;
  readonly mask: number;
}

/** An algorithm as the library takes it; `feat` and `mask` are 0 if omitted. */
export type AlgAddressInput = Pick<AlgAddress, 'type' | 'name'> & Partial<AlgAddress>;

/** A Qualcomm IPC router endpoint: `AF_QIPCRTR`, linux/qrtr.h. */
export interface QrtrAddress {
  readonly node: number;
  readonly port: number;
}

/** `BTPROTO_L2CAP` as the library returns it. */
export interface L2capAddress {
  /** Six bytes in hexadecimal, `01:23:45:67:89:AB`. */
  readonly bdaddr: string;
  readonly psm: number;
  readonly cid: number;
  /** `BDADDR_BREDR`, `BDADDR_LE_PUBLIC` or `BDADDR_LE_RANDOM`. */
  readonly bdaddrType: number;
}

/** `BTPROTO_L2CAP` as the library takes it; `cid` and `bdaddrType` are 0 if omitted. */
export type L2capAddressInput = Pick<L2capAddress, 'bdaddr' | 'psm'> & Partial<L2capAddress>;

/** `BTPROTO_RFCOMM`. */
export interface RfcommAddress {
  readonly bdaddr: string;
  readonly channel: number;
}

/** `BTPROTO_HCI` as the library returns it. */
export interface HciAddress {
  /** The number of the adapter. */
  readonly device: number;
  /** `HCI_CHANNEL_RAW` …. */
  readonly channel: number;
}

/** `BTPROTO_HCI` as the library takes it; `channel` is 0, `HCI_CHANNEL_RAW`, if omitted. */
export type HciAddressInput = Pick<HciAddress, 'device'> & Partial<HciAddress>;

/** `BTPROTO_SCO`. */
export interface ScoAddress {
  readonly bdaddr: string;
}

/**
 * Any sockaddr, as bytes: what the library returns for a family it has no form for, and takes for
 * each. `{ family: AF_UNSPEC, data: new Uint8Array(0) }` dissolves a connect(2) of a datagram socket.
 */
export interface RawAddress {
  readonly family: number;
  /** All that follows the family. */
  readonly data: Uint8Array;
}

/** An address as the library returns it, of any family. */
export type Address =
  | InetAddress
  | Inet6Address
  | UnixAddress
  | PacketAddress
  | NetlinkAddress
  | VsockAddress
  | CanAddress
  | CanIsotpAddress
  | CanJ1939Address
  | TipcAddress
  | AlgAddress
  | QrtrAddress
  | L2capAddress
  | RfcommAddress
  | HciAddress
  | ScoAddress
  | RawAddress;

/** An address as the library takes it, of any family. */
export type AddressInput =
  | Address
  | Inet6AddressInput
  | PacketAddressInput
  | CanJ1939AddressInput
  | AlgAddressInput
  | L2capAddressInput
  | HciAddressInput;

/**
 * Each family's form of address. A family that is not listed, or known only at run time, has every
 * form. (Indexed access, unlike a conditional type, lets `Socket<typeof AF_INET>` be a
 * `Socket<number>`.)
 */
export interface AddressForms {
  readonly [family: number]: Address;
  readonly [AF_INET]: InetAddress;
  readonly [AF_INET6]: Inet6Address;
  readonly [AF_UNIX]: UnixAddress;
  readonly [AF_PACKET]: PacketAddress;
  readonly [AF_NETLINK]: NetlinkAddress;
  readonly [AF_VSOCK]: VsockAddress;
  readonly [AF_CAN]: CanAddress | CanIsotpAddress | CanJ1939Address;
  readonly [AF_TIPC]: TipcAddress;
  readonly [AF_ALG]: AlgAddress;
  readonly [AF_QIPCRTR]: QrtrAddress;
  readonly [AF_RDS]: InetAddress;
  readonly [AF_BLUETOOTH]: L2capAddress | RfcommAddress | HciAddress | ScoAddress;
}

/** The same as the library takes it: fields that have a default may be left out. */
export interface AddressInputForms {
  readonly [family: number]: AddressInput;
  readonly [AF_INET]: InetAddress | RawAddress;
  readonly [AF_INET6]: Inet6AddressInput | RawAddress;
  readonly [AF_UNIX]: UnixAddress | RawAddress;
  readonly [AF_PACKET]: PacketAddressInput | RawAddress;
  readonly [AF_NETLINK]: NetlinkAddress | RawAddress;
  readonly [AF_VSOCK]: VsockAddress | RawAddress;
  readonly [AF_CAN]: CanAddress | CanIsotpAddress | CanJ1939AddressInput | RawAddress;
  readonly [AF_TIPC]: TipcAddress | RawAddress;
  readonly [AF_ALG]: AlgAddressInput | RawAddress;
  readonly [AF_QIPCRTR]: QrtrAddress | RawAddress;
  readonly [AF_RDS]: InetAddress | RawAddress;
  readonly [AF_BLUETOOTH]:
    | L2capAddressInput
    | RfcommAddress
    | HciAddressInput
    | ScoAddress
    | RawAddress;
}

/** The type of address that a family's sockets return: `AddressOf<typeof AF_INET>`. */
export type AddressOf<Family extends number> = AddressForms[Family];

/** The type of address that a family's sockets take: `AddressOf` with the optional fields. */
export type AddressInputOf<Family extends number> = AddressInputForms[Family];

/** What a codec must know of an interface; `ifNametoindex` and `ifIndextoname` of this library fit. */
export interface InterfaceNames {
  /** Throws for a name that no interface has. */
  ifNametoindex(name: string): number;
  /** Throws for an index that no interface has. */
  ifIndextoname(index: number): string;
}

/** What the bytes of an address don't say. */
export interface AddressContext {
  /** The socket's protocol, which decides the form within `AF_CAN` and `AF_BLUETOOTH`; 0 if omitted. */
  readonly proto?: number;
  /** Needed to use interface names; without it they stay numbers. */
  readonly interfaces?: InterfaceNames;
}

/** An address whose fields nobody has checked yet. */
export type Unchecked<T> = { readonly [Field in keyof T]?: unknown };
