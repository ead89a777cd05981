/** All rules, in the order in which they see an event. */
import type { RuleFactory } from '../rule.ts'
import { anomalousBehavior } from './anomaly.ts'
import { bruteForce } from './brute-force.ts'
import { denialOfService } from './denial-of-service.ts'
import { dnsExfiltration, generatedDomains, metadataRebind, mining } from './dns.ts'
import { instanceCredentialExfiltration } from './instance-credentials.ts'
import { penetrationTestSystem } from './penetration-test.ts'
import {
  accessLoggingDisabled,
  blockPublicAccessDisabled,
  bucketAclOpened,
  bucketPolicyOpened,
  passwordPolicyChanged,
  rootCredentialUsage,
} from './policy.ts'
import { scans } from './scans.ts'
import { attackSequence } from './sequence.ts'
import { distantSignIns } from './sign-in.ts'
import { threatListCaller, threatListDomain, threatListPeer } from './threat-lists.ts'
import { unusualTraffic } from './traffic.ts'
import { trailBucketEmptied, trailDisabled } from './trail.ts'

export const RULES: readonly RuleFactory[] = [
  trailDisabled,
  trailBucketEmptied,
  passwordPolicyChanged,
  rootCredentialUsage,
  bucketPolicyOpened,
  bucketAclOpened,
  blockPublicAccessDisabled,
  accessLoggingDisabled,
  penetrationTestSystem,
  distantSignIns,
  instanceCredentialExfiltration,
  threatListCaller,
  threatListPeer,
  threatListDomain,
  anomalousBehavior,
  scans,
  bruteForce,
  denialOfService,
  unusualTraffic,
  dnsExfiltration,
  generatedDomains,
  metadataRebind,
  mining,
  attackSequence,
]
