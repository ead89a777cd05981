/** What the operator's files say about addresses, for web ACLs: lists (`MERLON_ADDRESS_LISTS`) and
 * places (`MERLON_GEOGRAPHY`). */
import type { LocateAddress } from '../../engines/network/geography.ts'
import { type AddressFacts, NO_ADDRESS_FACTS } from '../../engines/waf/address-facts.ts'
import { AddressLists } from './address-lists.ts'
import { readGeographyFiles } from './geography-files.ts'
import { VerifiedBots } from './verified-bots.ts'

export interface AddressFiles {
  /** A directory. */
  readonly lists?: string | undefined
  /** Files, separated by commas. */
  readonly geography?: string | undefined
  /** DNS servers for the names of bots, separated by commas; default: those of the system. */
  readonly dns?: string | undefined
}

/** As the environment names them. */
export const addressFilesOf = (environment: NodeJS.ProcessEnv): AddressFiles => ({
  lists: environment['MERLON_ADDRESS_LISTS'] || undefined,
  geography: environment['MERLON_GEOGRAPHY'] || undefined,
  dns: environment['MERLON_ADDRESS_DNS'] || undefined,
})

export interface AddressData {
  readonly facts: AddressFacts
  start(): void
  stop(): Promise<void>
}

/** Throws for files that are not valid. */
export function openAddressData(
  { lists: directory, geography, dns }: AddressFiles,
  onError: (file: string, error: Error) => void,
): AddressData {
  const lists = directory === undefined ? undefined : new AddressLists(directory, onError)
  const servers = dns?.split(',').map((each) => each.trim())
  const bots = directory === undefined ? undefined : new VerifiedBots({ directory, servers, onError })
  const locate: LocateAddress = readGeographyFiles(geography) ?? NO_ADDRESS_FACTS.placeOf
  return {
    facts: {
      hasList: (list) => lists?.hasList(list) ?? false,
      isListed: (list, address) => lists?.isListed(list, address) ?? false,
      isBot: (address, bot) => (lists?.isBot(address, bot) || bots?.isBot(address, bot)) ?? false,
      learn: (address, userAgent) => bots?.learn(address, userAgent),
      placeOf: locate,
    },
    start: () => {
      lists?.start()
      bots?.start()
    },
    stop: async () => {
      bots?.stop()
      await lists?.stop()
    },
  }
}
