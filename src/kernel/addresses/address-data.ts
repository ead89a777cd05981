/** What the operator's files say about addresses, for web ACLs: lists (`MERLON_ADDRESS_LISTS`) and places (`MERLON_GEOGRAPHY`). */
import type { LocateAddress } from '../../engines/network/geography.ts'
import { type AddressFacts, NO_ADDRESS_FACTS } from '../../engines/waf/address-facts.ts'
import { AddressLists } from './address-lists.ts'
import { readGeographyFiles } from './geography-files.ts'

export interface AddressFiles {
  /** A directory. */
  readonly lists?: string | undefined
  /** Files, separated by commas. */
  readonly geography?: string | undefined
}

/** As the environment names them. */
export const addressFilesOf = (environment: NodeJS.ProcessEnv): AddressFiles => ({
  lists: environment['MERLON_ADDRESS_LISTS'] || undefined,
  geography: environment['MERLON_GEOGRAPHY'] || undefined,
})

export interface AddressData {
  readonly facts: AddressFacts
  start(): void
  stop(): Promise<void>
}

/** Throws for files that are not valid. */
export function openAddressData(
  { lists: directory, geography }: AddressFiles,
  onError: (file: string, error: Error) => void,
): AddressData {
  const lists = directory === undefined ? undefined : new AddressLists(directory, onError)
  const locate: LocateAddress = readGeographyFiles(geography) ?? NO_ADDRESS_FACTS.placeOf
  return {
    facts: {
      hasList: (list) => lists?.hasList(list) ?? false,
      isListed: (list, address) => lists?.isListed(list, address) ?? false,
      botAt: (address) => lists?.botAt(address),
      placeOf: locate,
    },
    start: () => lists?.start(),
    stop: async () => lists?.stop(),
  }
}
