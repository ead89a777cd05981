/**
 * The groups on lists of addresses: names and labels of AWS's, with the operator's lists.
 *
 * Source of names: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-ip-rep.html
 */
import type { AddressListName } from '../address-facts.ts'
import type { ManagedStatement } from '../managed-statements.ts'
import { managedGroup } from './rules.ts'

const listed = (List: AddressListName): ManagedStatement => ({ AddressListStatement: { List } })

export const ipReputation = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesAmazonIpReputationList',
    namespace: 'amazon-ip-list',
    description: 'Contains rules on lists of addresses with a bad reputation, which the operator supplies.',
    capacity: 25,
  },
  [
    { name: 'AWSManagedIPReputationList', statement: listed('ip-reputation') },
    { name: 'AWSManagedReconnaissanceList', statement: listed('reconnaissance') },
    { name: 'AWSManagedIPDDoSList', statement: listed('ddos'), action: 'Count' },
  ],
)

export const anonymousIp = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesAnonymousIpList',
    namespace: 'anonymous-ip-list',
    description:
      'Contains rules on lists of addresses that hide who uses them: proxies, hosting providers; the operator supplies them.',
    capacity: 50,
  },
  [
    { name: 'AnonymousIPList', statement: listed('anonymous') },
    { name: 'HostingProviderIPList', statement: listed('hosting') },
  ],
)
