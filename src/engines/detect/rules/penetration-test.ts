/** Clients that run on systems made for penetration tests, as the user agent says. */
import { NONE, type Rule, type RuleFactory } from '../rule.ts'

/** Texts that the SDKs write of the kernel and distribution. */
const SYSTEMS = [
  { name: 'KaliLinux', pattern: /\bkali\b|kali\d/i },
  { name: 'ParrotLinux', pattern: /\bparrot\d*\b/i },
  { name: 'PentooLinux', pattern: /\bpentoo\b/i },
] as const

/** One look at the many that are none. */
const ANY = /kali|parrot|pentoo/i

export const penetrationTestSystem: RuleFactory = (): Rule => ({
  name: 'penetration-test-system',
  types: ['IAMUser', 'S3'].flatMap((resource) => SYSTEMS.map(({ name }) => `PenTest:${resource}/${name}`)),
  source: 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#pentest-iam-kalilinux',
  api: (event) => {
    if (!ANY.test(event.userAgent)) return NONE
    const system = SYSTEMS.find(({ pattern }) => pattern.test(event.userAgent))
    return system ? [{ type: `PenTest:${event.source === 's3' ? 'S3' : 'IAMUser'}/${system.name}` }] : NONE
  },
})
