/** Cognito user pools: sign-up, sign-in and access control for web and mobile apps. */
import { forgetRow } from '../../kernel/jobs/expiring-row.ts'
import { provide } from '../../kernel/ports/port.ts'
import { servedDomains } from '../../kernel/ports/served-domains.ts'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import { userPools } from '../../kernel/ports/user-pools.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as activity from './activity.ts'
import * as authentication from './authentication.ts'
import * as classicCss from './classic-css.ts'
import * as clients from './clients.ts'
import { assertReadable } from './compromised.ts'
import { Counts } from './counts.ts'
import { SEND_BY_FUNCTION, senderJob } from './custom-sender.ts'
import * as devices from './devices.ts'
import { servedDomainsPort } from './domain-certificates.ts'
import * as domains from './domains.ts'
import * as forgotPassword from './forgot-password.ts'
import * as groups from './groups.ts'
import { IMPORT, IMPORT_LOG, importJob, importLogJob } from './import-run.ts'
import * as imports from './imports.ts'
import * as listUsers from './list-users.ts'
import * as logDelivery from './log-delivery.ts'
import { DELIVER_LOGS } from './log-queue.ts'
import * as loginBranding from './login-branding.ts'
import * as machineToken from './machine-token.ts'
import * as mfa from './mfa.ts'
import * as passkeys from './passkeys.ts'
import * as pools from './pools.ts'
import { userPoolsPort } from './port.ts'
import * as providers from './providers.ts'
import * as refresh from './refresh.ts'
import * as resourceServers from './resource-servers.ts'
import { cognito } from './resources.ts'
import * as risk from './risk.ts'
import * as samlProvider from './saml-provider.ts'
import * as self from './self.ts'
import * as signUp from './sign-up.ts'
import { tagging } from './tags.ts'
import * as terms from './terms.ts'
import * as userSessions from './user-sessions.ts'
import * as users from './users.ts'
import { importUpload } from './web/import-upload.ts'
import { sites } from './web/index.ts'
import { FORGET_ASSERTION } from './web/saml.ts'
import { protectedOperations, webAclUserPool } from './web-acl-resource.ts'

export const cognitoidp = cognito.service({
  operations: operationsOf(
    pools,
    clients,
    users,
    listUsers,
    groups,
    signUp,
    forgotPassword,
    authentication,
    refresh,
    mfa,
    devices,
    passkeys,
    self,
    resourceServers,
    providers,
    samlProvider,
    domains,
    classicCss,
    loginBranding,
    risk,
    activity,
    logDelivery,
    imports,
    machineToken,
    terms,
    userSessions,
    { tagging },
  ),
  sites,
  webAclResources: [webAclUserPool],
  traits: { protectedOperations, uploads: [importUpload] },
  jobs: {
    'cognito-idp.delete-pool': pools.deletePoolJob,
    [FORGET_ASSERTION]: forgetRow,
    [DELIVER_LOGS]: logDelivery.deliverLogs,
    [SEND_BY_FUNCTION]: senderJob,
    [IMPORT]: importJob,
    [IMPORT_LOG]: importLogJob,
  },
  open: () => {
    assertReadable()
    const counts = new Counts()
    return {
      provides: [
        provide(userPools, userPoolsPort),
        provide(servedDomains, servedDomainsPort),
        provide(userPoolCounts, counts),
      ],
      metrics: () => counts.lines(),
    }
  },
})
