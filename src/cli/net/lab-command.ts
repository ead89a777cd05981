/**
 * The command of a lab, as it is started: in the namespace of its end. In a lab with a server it sees neither the data directory,
 * whose socket is for the operator, nor the sockets of other ends, and has no capability to reach them by other ways.
 */

/** Sockets of the lab's own services. In its own file system: `/run` of the lab is empty at first. */
export const LAB_FOLDER = '/run/merlon'

export interface LabCommand {
  readonly words: readonly string[]
  /** Of a lab with a server. */
  readonly served?: ServedCommand | undefined
}

export interface ServedCommand {
  /** Directories that are empty for the command. */
  readonly hidden: readonly string[]
  /** A file with the address of the resolver; undefined for the internet. */
  readonly resolvers: string | undefined
  readonly environment: Readonly<Record<string, string>>
}

/** Without the capabilities to enter namespaces, to mount, and to look into other processes. */
const CAPABILITIES = [
  'net_raw',
  'net_admin',
  'net_bind_service',
  'chown',
  'fowner',
  'dac_override',
  'setuid',
  'setgid',
  'kill',
  // A user namespace of the command's own maps root.
  'setfcap',
]

/** The operands: the number of directories, these, the file of resolvers or nothing, and the command. */
const SCRIPT = `
count=$1; shift
while [ "$count" -gt 0 ]; do mount -t tmpfs -o mode=755 hidden "$1"; shift; count=$((count - 1)); done
if [ -n "$1" ] && [ -e /etc/resolv.conf ]; then mount --bind "$1" /etc/resolv.conf; fi; shift
# Opened again: what was mounted hides it.
cd "$PWD" 2>/dev/null || cd /
exec setpriv --inh-caps=-all --bounding-set=-all,${CAPABILITIES.map((each) => `+${each}`).join(',')} -- "$@"
`
/** Of the operator: the command gets its credentials from the metadata service. */
const KEYS = /^(?:AWS_|MERLON_|(?:https?|all|no)_proxy$)/i

export function commandIn(
  namespace: string,
  { words, served }: LabCommand,
): { readonly words: readonly string[]; readonly environment: NodeJS.ProcessEnv } {
  const enter = ['nsenter', `--net=${namespace}`, '--']
  if (!served) return { words: [...enter, ...words], environment: process.env }
  const { hidden, resolvers = '', environment } = served
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !KEYS.test(name)))
  return {
    words: [
      ...[...enter, 'unshare', '--mount', '--', 'sh', '-e', '-c', SCRIPT, 'sh'],
      ...[String(hidden.length), ...hidden, resolvers, ...words],
    ],
    environment: { ...own, ...environment },
  }
}
