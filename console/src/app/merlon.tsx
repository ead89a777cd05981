/** What every page works with: the signed client, the person and the Region. */
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react'
import { Client, type Credentials } from '../api/client.ts'
import {
  type ConsoleConfig,
  CredentialSource,
  type Expiring,
  type SignedIn,
  SignedOutError,
  sessionCredentials,
  signInAddress,
} from '../api/session.ts'
import { keepRegion, keepRole, type RecentRole, regionChosen } from './settings.ts'

/** The identity that makes the calls. */
export interface Acting {
  readonly arn: string
  readonly account: string
  /** `ann`, `root`, or `Auditor` for a role. */
  readonly name: string
  readonly role: RecentRole | undefined
}

export interface Merlon {
  readonly client: Client
  readonly config: ConsoleConfig
  readonly session: SignedIn
  readonly acting: Acting
  readonly region: string
  setRegion(region: string): void
  /** Rejects when the role cannot be assumed. */
  switchRole(role: RecentRole): Promise<void>
  switchBack(): void
  /** A client with the access of a role, beside the current one. */
  clientAs(role: RecentRole): Promise<Client>
}

const Current = createContext<Merlon | undefined>(undefined)

export function useMerlon(): Merlon {
  const merlon = useContext(Current)
  if (!merlon) throw new Error('There is no session around this component.')
  return merlon
}

interface Props {
  readonly config: ConsoleConfig
  readonly session: SignedIn
  readonly children: ReactNode
}

export function MerlonProvider({ config, session, children }: Props) {
  const [region, setRegion] = useState(regionChosen() ?? config.region)
  const [assumed, setAssumed] = useState<{
    readonly role: RecentRole
    readonly source: CredentialSource
    readonly arn: string
  }>()
  const regionNow = useRef(region)
  regionNow.current = region
  const own = useMemo(() => {
    const source = new CredentialSource(() => renewOrSignIn(session))
    // Fetched while the page is rendered. A failure is that of the first call, which fetches them again.
    source.get().catch(() => undefined)
    return source
  }, [session])
  const source = assumed?.source ?? own
  const client = useMemo(
    () =>
      clientOf(
        config,
        () => regionNow.current,
        () => source.get(),
      ),
    [config, source],
  )

  const assuming = useCallback(
    (by: CredentialSource, role: RecentRole) => {
      let arn = ''
      const base = clientOf(
        config,
        () => regionNow.current,
        () => by.get(),
      )
      const assume = async (): Promise<Expiring> => {
        const { Credentials: answer, AssumedRoleUser } = await base.call('sts', 'AssumeRole', {
          RoleArn: `arn:aws:iam::${role.account}:role/${role.role}`,
          RoleSessionName: nameOf(session)
            .replace(/[^\w+=,.@-]/g, '-')
            .slice(0, 64),
        })
        arn = AssumedRoleUser?.Arn ?? ''
        return {
          accessKeyId: answer!.AccessKeyId!,
          secretAccessKey: answer!.SecretAccessKey!,
          sessionToken: answer!.SessionToken!,
          expiresAt: answer!.Expiration!.getTime(),
        }
      }
      return { source: new CredentialSource(assume), arn: () => arn }
    },
    [config, session],
  )

  const merlon = useMemo<Merlon>(
    () => ({
      client,
      config,
      session,
      region,
      acting: assumed
        ? { arn: assumed.arn, account: assumed.role.account, name: assumed.role.role, role: assumed.role }
        : { arn: session.principal.arn, account: session.principal.account, name: nameOf(session), role: undefined },
      setRegion(next) {
        keepRegion(next)
        setRegion(next)
      },
      async switchRole(role) {
        const next = assuming(own, role)
        await next.source.get()
        keepRole(role)
        setAssumed({ role, source: next.source, arn: next.arn() })
      },
      async clientAs(role) {
        const { source: other } = assuming(source, role)
        await other.get()
        return clientOf(
          config,
          () => regionNow.current,
          () => other.get(),
        )
      },
      switchBack: () => setAssumed(undefined),
    }),
    [client, config, session, region, assumed, own, source, assuming],
  )
  return <Current value={merlon}>{children}</Current>
}

const nameOf = ({ principal }: SignedIn): string =>
  principal.userName ?? (principal.kind === 'root' ? 'root' : principal.arn.split('/').at(-1)!)

function clientOf(config: ConsoleConfig, region: () => string, credentials: () => Promise<Credentials>): Client {
  return new Client({ endpoint: config.apiEndpoint, region, credentials })
}

async function renewOrSignIn(session: SignedIn): Promise<Expiring> {
  try {
    return await sessionCredentials(session)
  } catch (error) {
    if (error instanceof SignedOutError) location.assign(signInAddress(location))
    throw error
  }
}
