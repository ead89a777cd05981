/** Where a sign-in may lead: a path of this server. */
export const CONSOLE = '/console/'

const LENGTH_MAX = 2_048

/** The path that a request names, or the console where it names another server, or no path. */
export function ownPath(wanted: string | undefined): string {
  // Browsers read a backslash as a slash, and leave out tabs and line breaks.
  if (wanted === undefined || wanted.length > LENGTH_MAX || !/^\/(?![/\\])[\x21-\x7e]*$/.test(wanted)) return CONSOLE
  return wanted.includes('\\') ? CONSOLE : wanted
}

/** The same for addresses that may begin with the origin of the pages. */
export const ownAddress = (wanted: string | undefined, webOrigin: string): string =>
  ownPath(wanted?.startsWith(`${webOrigin}/`) ? wanted.slice(webOrigin.length) : wanted)
