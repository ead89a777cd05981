/** The services that are opened when they are first needed, all together: a start reads none of their code. */
import type { Service } from '../../kernel/service/service.ts'
import { accessanalyzer } from '../../services/accessanalyzer/index.ts'
import { acm } from '../../services/acm/index.ts'
import { pca } from '../../services/acm-pca/index.ts'
import { cognitoidentity } from '../../services/cognitoidentity/index.ts'
import { cognitoidp } from '../../services/cognitoidp/index.ts'
import { ds } from '../../services/ds/index.ts'
import { ec2 } from '../../services/ec2/index.ts'
import { elbv2 } from '../../services/elbv2/index.ts'
import { guardduty } from '../../services/guardduty/index.ts'
import { identitystore } from '../../services/identitystore/index.ts'
import { logs } from '../../services/logs/index.ts'
import { route53 } from '../../services/route53/index.ts'
import { signin } from '../../services/signin/index.ts'
import { sso } from '../../services/sso/index.ts'
import { ssoAdmin } from '../../services/sso-admin/index.ts'
import { ssoOidc } from '../../services/sso-oidc/index.ts'
import { wafv2 } from '../../services/wafv2/index.ts'

export const laterServices: readonly Service[] = [
  accessanalyzer,
  signin,
  ds,
  cognitoidentity,
  route53,
  identitystore,
  ssoAdmin,
  ssoOidc,
  sso,
  cognitoidp,
  acm,
  pca,
  ec2,
  elbv2,
  wafv2,
  guardduty,
  logs,
]
