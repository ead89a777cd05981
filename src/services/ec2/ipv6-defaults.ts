/**
 * What a VPC gets with its first IPv6 block: entries of its network ACLs, and outbound rules of its security groups, as far as
 * they have not been changed before.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html and security-group-rules.html
 */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import { aclEntries, egressRules } from './defaults.ts'
import { networkAcl, type SecurityRule, securityGroup } from './resources.ts'

export async function addIpv6Defaults(call: Call, vpcId: string): Promise<void> {
  for (const row of await networkAcl.all(call)) {
    if (row.data.VpcId !== vpcId) continue
    const entries = [true, false].flatMap((egress) => entriesWithIpv6(row.data, egress))
    networkAcl.put(call, { ...row, data: { ...row.data, Entries: entries } })
  }
  for (const row of await securityGroup.all(call)) {
    if (row.data.VpcId !== vpcId || !isOpen(row.rules.filter(({ egress }) => egress))) continue
    const [, rule] = egressRules(true)
    securityGroup.put(call, { ...row, rules: [...row.rules, rule!] })
  }
}

function entriesWithIpv6({ IsDefault, Entries = [] }: EC2.NetworkAcl, egress: boolean): EC2.NetworkAclEntry[] {
  const own = Entries.filter(({ Egress }) => Egress === egress)
  const texts = (entries: readonly EC2.NetworkAclEntry[]) =>
    entries.map(({ RuleNumber, Protocol, RuleAction, CidrBlock }) =>
      [RuleNumber, Protocol, RuleAction, CidrBlock].join(' '),
    )
  const isUnchanged =
    IsDefault === true && texts(own).join() === texts(aclEntries({ egress, isDefault: true, hasIpv6: false })).join()
  const added = aclEntries({ egress, isDefault: isUnchanged, hasIpv6: true }).filter(
    (entry) => entry.Ipv6CidrBlock !== undefined && !own.some(({ RuleNumber }) => RuleNumber === entry.RuleNumber),
  )
  return [...own, ...added].sort((a, b) => a.RuleNumber! - b.RuleNumber!)
}

const isOpen = ([rule, ...others]: readonly SecurityRule[]): boolean =>
  others.length === 0 && rule?.cidr === '0.0.0.0/0' && rule.protocol === '-1'
