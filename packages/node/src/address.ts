/** A place to listen at or to dial. */
export interface Address {
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?$/;
const IPV6 = /^\[([0-9A-Fa-f:.]+)\]$/;
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/**
 * Reads `host:port`. Undefined when it is anything else.
 *
 * Addresses also come from peers and end up in a URL, so nothing but a host and a port may pass:
 * no path, no user, no query.
 */
export function parseAddress(text: string): Address | undefined {
  const split = text.lastIndexOf(':');
  if (split <= 0) return undefined;
  const portText = text.slice(split + 1);
  if (!/^\d{1,5}$/.test(portText)) return undefined;
  const port = Number(portText);
  const host = parseHost(text.slice(0, split));
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

export function formatAddress(address: Address): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Whether only processes of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whether it means "every address of this machine", which nobody can dial. */
export function isWildcard(host: string): boolean {
  return WILDCARDS.includes(host);
}

function parseHost(text: string): string | undefined {
  const bracketed = IPV6.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return HOST_NAME.test(text) && text.length <= 253 ? text : undefined;
}
