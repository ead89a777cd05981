/** Attack sequences in GuardDuty's shape: the actor, what it called from, and the findings that are the signals. */
import type { Actor, Finding, Sequence, Signal } from '@aws-sdk/client-guardduty'
import type { DetectedFinding } from '../../engines/detect/types.ts'

export const isSequence = ({ type }: Pick<DetectedFinding, 'type'>): boolean => type.startsWith('AttackSequence:')

/** `signals`: the findings that it follows from, as they are stored. Times are texts, as everywhere in stored findings. */
export function asSequence(finding: Finding, signals: readonly Finding[]): Finding {
  const key = finding.Resource?.AccessKeyDetails
  const actor: Actor = {
    Id: key?.PrincipalId ?? finding.AccountId!,
    User: {
      Name: key?.UserName ?? '',
      Uid: key?.PrincipalId ?? '',
      Type: key?.UserType ?? '',
      ...(key?.AccessKeyId && { CredentialUid: key.AccessKeyId }),
      Account: { Uid: finding.AccountId! },
    },
  }
  const addresses = new Set(signals.flatMap(addressesOf))
  const sequence: Sequence = {
    Uid: finding.Id!,
    Description: finding.Description!,
    Actors: [actor],
    Resources: [],
    Endpoints: [...addresses].map((Ip) => ({ Id: Ip, Ip })),
    Signals: signals.map((signal) => signalOf(signal, actor.Id!)),
  }
  return {
    ...finding,
    Resource: { ...finding.Resource, ResourceType: 'AttackSequence' },
    Service: { ...finding.Service, Detection: { ...finding.Service?.Detection, Sequence: sequence } },
  }
}

function addressesOf({ Service }: Finding): readonly string[] {
  const { IpAddressV4, IpAddressV6 } = Service?.Action?.AwsApiCallAction?.RemoteIpDetails ?? {}
  return [IpAddressV4, IpAddressV6].filter((address) => address !== undefined)
}

function signalOf(finding: Finding, actor: string): Signal {
  const time = (text: string | undefined): Date => text as unknown as Date
  return {
    Uid: finding.Id!,
    Type: 'FINDING',
    Name: finding.Type!,
    Description: finding.Title!,
    CreatedAt: time(finding.CreatedAt),
    UpdatedAt: time(finding.UpdatedAt),
    FirstSeenAt: time(finding.Service?.EventFirstSeen),
    LastSeenAt: time(finding.Service?.EventLastSeen),
    Severity: finding.Severity!,
    Count: finding.Service?.Count ?? 1,
    ActorIds: [actor],
    EndpointIds: [...addressesOf(finding)],
  }
}
