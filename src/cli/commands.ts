/** Every command of the command line, loaded when it is run: what one needs delays no other. */
import { type Command, UsageError, usage } from './command.ts'

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  init: async () => (await import('./init.ts')).init,
  status: async () => (await import('./status.ts')).status,
  doctor: async () => (await import('./doctor.ts')).doctor,
  unseal: async () => (await import('./unseal.ts')).unseal,
  seal: async () => (await import('./seal.ts')).seal,
  sealer: async () => (await import('./sealer.ts')).sealer,
  rekey: async () => (await import('./rekey.ts')).rekey,
  'root-password': async () => (await import('./root-password.ts')).rootPassword,
  'portal-password': async () => (await import('./portal-password.ts')).portalPassword,
  'scim-token': async () => (await import('./scim-token.ts')).scimToken,
  'saml-app': async () => (await import('./saml-app.ts')).samlApp,
  'identity-source': async () => (await import('./identity-source.ts')).identitySource,
  'rotate-root': async () => (await import('./rotate-root.ts')).rotateRoot,
  trust: async () => (await import('./trust.ts')).trust,
  ca: async () => (await import('./ca.ts')).ca,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  export: async () => (await import('./export.ts')).exportCommand,
  store: async () => (await import('./store.ts')).store,
  plane: async () => (await import('./plane.ts')).plane,
  policy: async () => (await import('./policy.ts')).policy,
  waf: async () => (await import('./waf.ts')).waf,
  net: async () => (await import('./net.ts')).net,
  detect: async () => (await import('./detect.ts')).detect,
  audit: async () => (await import('./audit.ts')).audit,
  credentials: async () => (await import('./credentials.ts')).credentials,
  secret: async () => (await import('./secret.ts')).secret,
  acm: async () => (await import('./acm.ts')).acm,
  encrypt: async () => (await import('./encryption.ts')).encrypt,
  decrypt: async () => (await import('./encryption.ts')).decrypt,
  inspect: async () => (await import('./encryption/inspect.ts')).inspect,
  inbox: async () => (await import('./inbox.ts')).inbox,
  demo: async () => (await import('./demo.ts')).demo,
  dev: async () => (await import('./dev.ts')).dev,
  'pytest-plugin': async () => (await import('./pytest-plugin.ts')).pytestPlugin,
  completion: async () => (await import('./completion.ts')).completionCommand(allCommands),
}

export const allCommands = (): Promise<readonly Command[]> => Promise.all(Object.values(commands).map((load) => load()))

/** The help of one command, or of one below it. Throws a `UsageError` for one that does not exist. */
export async function helpOf([name, ...rest]: readonly string[]): Promise<string> {
  const found = await commandNamed(name)
  return found.help?.(rest) ?? usage([found])
}

export async function commandNamed(name: string | undefined): Promise<Command> {
  const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) throw new UsageError(`Unknown command: '${name}'. List the commands: merlon help`)
  return load()
}
