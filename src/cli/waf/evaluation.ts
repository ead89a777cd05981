/** Requests evaluated by a web ACL out of files. */
import type { AddressFacts, AddressListName } from '../../engines/waf/address-facts.ts'
import { managedGroupOf } from '../../engines/waf/managed/index.ts'
import type { ManagedStatement } from '../../engines/waf/managed-statements.ts'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import { UnevaluableRuleError } from '../../engines/waf/statement.ts'
import { type CompiledWebAcl, compileWebAcl, type Verdict } from '../../engines/waf/web-acl.ts'
import { addressFilesOf, openAddressData } from '../../kernel/addresses/address-data.ts'
import { InputError } from '../policy/files.ts'
import { readSources, readWebAcl } from './files.ts'

/** Throws an `InputError` for files that cannot be read, and for rules that cannot be evaluated. */
export function compileFiles(file: string, sources: readonly string[]): CompiledWebAcl {
  try {
    return compileWebAcl(readWebAcl(file), readSources(sources))
  } catch (error) {
    if (error instanceof UnevaluableRuleError) throw new InputError(`${file}: ${error.message}`)
    throw error
  }
}

/** What the web ACL decides of one request, with the texts that made rules match. */
export function decide(
  file: string,
  sources: readonly string[],
  request: InspectedRequest,
  addresses: AddressFacts,
): Verdict {
  const place = addresses.placeOf(request.clientIp)
  return compileFiles(file, sources).evaluate(
    { ...request, country: request.country ?? place?.country, region: place?.region, asn: place?.asn },
    { rates: new RateLimiter(), now: Date.now(), token: {}, explains: true, addresses },
  )
}

/** What the files say about addresses. Throws an `InputError` for files that are not valid. */
export function addressFacts(lists: string | undefined): AddressFacts {
  const files = addressFilesOf(process.env)
  try {
    return openAddressData({ ...files, lists: lists ?? files.lists }, () => undefined).facts
  } catch (error) {
    throw new InputError((error as Error).message)
  }
}

/** Which lists managed groups of the web ACL would look addresses up in, if there were any: a line for each group. */
export function absentLists(file: string, addresses: AddressFacts): readonly string[] {
  return readWebAcl(file).rules.flatMap(({ Statement }) => {
    const { VendorName = '', Name = '' } = Statement?.ManagedRuleGroupStatement ?? {}
    const rules = managedGroupOf(VendorName, Name)?.rules ?? []
    const absent = rules
      .flatMap((rule) => listOf(rule.Statement as ManagedStatement) ?? [])
      .filter((list) => !addresses.hasList(list))
    return absent.length === 0 ? [] : [`${Name} has no list ${absent.join(', ')}: it matches nothing there.`]
  })
}

const listOf = ({ AddressListStatement, BotSignalStatement }: ManagedStatement): AddressListName | undefined =>
  AddressListStatement?.List ??
  (BotSignalStatement?.Signal === 'known_bot_data_center' ? 'bot-data-centers' : undefined)
