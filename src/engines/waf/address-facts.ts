/** What is known about addresses outside of requests: by files of the operator. Without them, statements on it match nothing. */

/** Lists that managed rule groups look addresses up in. */
export const ADDRESS_LISTS = [
  'ip-reputation',
  'reconnaissance',
  'ddos',
  'anonymous',
  'hosting',
  'bot-data-centers',
] as const
export type AddressListName = (typeof ADDRESS_LISTS)[number]

export interface AddressFacts {
  /** Whether there is such a list. */
  hasList(list: AddressListName): boolean
  isListed(list: AddressListName, address: string): boolean
  /** Whether the operator of this bot, such as `googlebot`, has the address. */
  isBot(address: string, bot: string): boolean
  /**
   * Looks up what `isBot` will say of a client with this user agent, where that takes time. undefined: it is known. Resolves within a
   * bounded time, whether or not it is known by then.
   */
  learn?(address: string, userAgent: string): Promise<void> | undefined
  /** ISO 3166-1, two letters; ISO 3166-2 without the country. */
  placeOf(address: string): { readonly country?: string; readonly region?: string; readonly asn?: number } | undefined
}

/** Nothing is known. */
export const NO_ADDRESS_FACTS: AddressFacts = {
  hasList: () => false,
  isListed: () => false,
  isBot: () => false,
  placeOf: () => undefined,
}
