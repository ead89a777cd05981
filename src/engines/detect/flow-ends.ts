/** Which end of a flow is the instance, and which side opened the connection. */
import type { FlowEnds } from './finding.ts'
import type { Lookups } from './rule.ts'
import type { State } from './state.ts'
import type { FlowEvent } from './types.ts'

export interface ConnectionEnds extends FlowEnds {
  /** The record has the packets of the side that did not open the connection. `direction` is that of the connection. */
  readonly isAnswer: boolean
  /** The same for all records of the instance. */
  readonly instance: string
  readonly instanceId: string
}

const SYN = 2
const ACK = 16

/** Without flags: well-known ports do not open connections, ephemeral ones do. */
function isAnswerOf({ protocol, tcpFlags, sourcePort, destinationPort }: FlowEvent): boolean {
  if (protocol === 6 && tcpFlags !== undefined && (tcpFlags & SYN) !== 0) return (tcpFlags & ACK) !== 0
  if (sourcePort < 1_024 && destinationPort >= 1_024) return true
  if (destinationPort < 1_024) return false
  return sourcePort < 32_768 && destinationPort >= 32_768
}

/**
 * By the record's own direction, else by the addresses of known instances, else by what the records of an interface have in
 * common: its own address is an end of each.
 */
export function createFlowEnds(state: State, lookups: Lookups): (event: FlowEvent) => ConnectionEnds | undefined {
  const addresses = state.table<readonly string[]>('interface-addresses')
  let last: { readonly event: FlowEvent; readonly ends: ConnectionEnds | undefined } | undefined

  return (event) => {
    if (last?.event !== event) last = { event, ends: compute(event) }
    return last.ends
  }

  function compute(event: FlowEvent): ConnectionEnds | undefined {
    const isSource = isSourceLocal(event)
    if (isSource === undefined) return undefined
    const isAnswer = isAnswerOf(event)
    const known = lookups.instanceAt(isSource ? event.sourceAddress : event.destinationAddress, event.interfaceId)
    const instanceId = event.instanceId || known?.instanceId || ''
    const localAddress = isSource ? event.sourceAddress : event.destinationAddress
    return {
      localAddress,
      localPort: isSource ? event.sourcePort : event.destinationPort,
      remoteAddress: isSource ? event.destinationAddress : event.sourceAddress,
      remotePort: isSource ? event.destinationPort : event.sourcePort,
      direction: isSource === isAnswer ? 'INBOUND' : 'OUTBOUND',
      isAnswer,
      instance: instanceId || event.interfaceId || localAddress,
      instanceId,
    }
  }

  function isSourceLocal(event: FlowEvent): boolean | undefined {
    const { sourceAddress, destinationAddress, interfaceId, direction } = event
    if (direction !== undefined) return direction === 'egress'
    if (lookups.instanceAt(sourceAddress, '')?.isLocal) return true
    if (lookups.instanceAt(destinationAddress, '')?.isLocal) return false
    if (interfaceId === '') return undefined
    const before = addresses.get(interfaceId)
    const ends = [sourceAddress, destinationAddress]
    const common = before ? before.filter((each) => ends.includes(each)) : ends
    // An interface may have several addresses: start again with this record.
    const now = common.length === 0 ? ends : common
    if (before?.length !== now.length || common.length === 0) addresses.put(interfaceId, now)
    if (now.length === 1) return now[0] === sourceAddress
    const [isPrivateSource, isPrivateDestination] = [isPrivate(sourceAddress), isPrivate(destinationAddress)]
    return isPrivateSource === isPrivateDestination ? undefined : isPrivateSource
  }
}

/** RFC 1918, RFC 6598, link-local, and RFC 4193. */
const PRIVATE =
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.|127\.|f[cd][0-9a-f]{2}:|fe80:)/i

export const isPrivate = (address: string): boolean => PRIVATE.test(address)
