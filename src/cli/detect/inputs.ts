/** What `merlon detect` is configured with, out of files: lists, instances and rules. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { type CompiledList, compileList, ListTooLongError, listLines } from '../../engines/detect/lists.ts'
import { isObject, listOf, textOf } from '../../engines/detect/normalize/json.ts'
import { OperatorRuleError, parseOperatorRules } from '../../engines/detect/operator-rules/rules.ts'
import type { InstanceRecord, OperatorRule, ThreatListKind } from '../../engines/detect/types.ts'
import { UsageError } from '../command.ts'
import { InputError, readJson, readText } from '../policy/files.ts'
import { listFiles } from './list-files.ts'

const KINDS: readonly ThreatListKind[] = [
  'custom',
  'malicious',
  'tor',
  'command-and-control',
  'mining',
  'black-hole',
  'drop-point',
  'phishing',
]
/** GuardDuty's limit of a list. */
const LIST_BYTES_MAX = 35 * 1024 * 1024

export function readList(file: string): CompiledList {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new InputError(`${file}: there is no such file.`)
  if (size > LIST_BYTES_MAX) throw new InputError(`${file}: has more than 35 MB.`)
  const bytes = readFileSync(file)
  try {
    const list = compileList({
      name: basename(file),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      entries: listLines(bytes.toString('utf8')),
    })
    if (list.invalid > 0)
      process.stderr.write(`merlon: ${file}: ${list.invalid} of ${list.size} entries are no addresses or domains.\n`)
    return list
  } catch (error) {
    if (error instanceof ListTooLongError) throw new InputError(`${file}: ${error.message}`)
    throw error
  }
}

/** `FILE`, or `KIND=FILE`. */
export function readThreatList(text: string): { readonly kind: ThreatListKind; readonly list: CompiledList } {
  const equals = text.indexOf('=')
  const written = equals < 0 ? 'custom' : text.slice(0, equals)
  const kind = KINDS.find((each) => each === written)
  if (!kind) throw new UsageError(`--threat-list: '${written}' is no kind of list. There are: ${KINDS.join(', ')}.`)
  return { kind, list: readList(text.slice(equals + 1)) }
}

/** `[{"instanceId": "i-…", "addresses": ["10.0.0.5"], …}]`, or output of `aws ec2 describe-instances`. */
export function readInstances(file: string): readonly InstanceRecord[] {
  const document = readJson(file)
  const described = isObject(document) ? listOf(document.Reservations).flatMap((each) => describedInstances(each)) : []
  const plain = Array.isArray(document) ? document.map((each) => plainInstance(each)) : described
  const records = plain.filter((each) => each.instanceId !== '')
  if (records.length === 0) throw new InputError(`${file}: has no instances: expected a list, or describe-instances.`)
  return records
}

function plainInstance(value: unknown): InstanceRecord {
  const row = isObject(value) ? value : {}
  return {
    instanceId: textOf(row.instanceId, 40),
    account: textOf(row.account, 12),
    ...(typeof row.vpcId === 'string' && { vpcId: row.vpcId }),
    interfaceIds: listOf(row.interfaceIds).map((each) => textOf(each, 40)),
    addresses: listOf(row.addresses).map((each) => textOf(each, 64)),
  }
}

function describedInstances(reservation: unknown): readonly InstanceRecord[] {
  if (!isObject(reservation)) return []
  return listOf(reservation.Instances).flatMap((instance) => {
    if (!isObject(instance)) return []
    const interfaces = listOf(instance.NetworkInterfaces).filter(isObject)
    const addresses = interfaces.flatMap((each) =>
      listOf(each.PrivateIpAddresses)
        .filter(isObject)
        .flatMap((address) => [
          textOf(address.PrivateIpAddress, 64),
          isObject(address.Association) ? textOf(address.Association.PublicIp, 64) : '',
        ]),
    )
    const own = [textOf(instance.PrivateIpAddress, 64), textOf(instance.PublicIpAddress, 64)]
    return [
      {
        instanceId: textOf(instance.InstanceId, 40),
        account: textOf(reservation.OwnerId, 12),
        vpcId: textOf(instance.VpcId, 40),
        interfaceIds: interfaces.map((each) => textOf(each.NetworkInterfaceId, 40)),
        addresses: [...new Set([...own, ...addresses])].filter(Boolean),
      },
    ]
  })
}

/** All `.yml` and `.yaml` files of a directory, or one file. */
export function readRules(path: string): readonly OperatorRule[] {
  return listFiles(path, /\.ya?ml$/i).flatMap((file) => {
    try {
      return parseOperatorRules(readText(file))
    } catch (error) {
      if (error instanceof OperatorRuleError) throw new InputError(`${file}: ${error.message}`)
      throw error
    }
  })
}
