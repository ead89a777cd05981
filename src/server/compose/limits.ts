/** The limits an operator sets: `--limits account=8000:16000,principal=4000,requests=1000,bodies=64`. */
import { type RateLimits, rateDefaults } from '../../kernel/gate/throttle.ts'
import type { Rate } from '../../kernel/gate/token-bucket.ts'
import { type AdmissionLimits, admissionDefaults } from '../listen/admission.ts'

export interface Limits {
  readonly rates: RateLimits
  readonly admission: AdmissionLimits
}

const MIB = 1024 * 1024

const rateWords = ['account', 'principal', 'address'] as const
/** What a number means by these names. */
const admissionWords = {
  requests: { member: 'requestsMax', unit: 1 },
  bodies: { member: 'bodyBytesMax', unit: MIB },
  uploads: { member: 'uploadBytesMax', unit: MIB },
  answers: { member: 'answerBytesMax', unit: MIB },
} as const

/** Throws with a sentence for the operator. */
export function readLimits(text: string): Limits {
  const rates = { ...rateDefaults, accounts: new Map(rateDefaults.accounts) }
  const admission = { ...admissionDefaults }
  const said = text.split(/[\s,]+/).filter(Boolean)
  for (const each of said) {
    const [name = '', value = ''] = each.split(/=(.*)/)
    const rateWord = rateWords.find((word) => word === name)
    if (rateWord) rates[rateWord] = rateOf(each, value, rates[rateWord])
    else if (/^\d{12}$/.test(name)) rates.accounts.set(name, rateOf(each, value, rateDefaults.account))
    else if (isAdmissionWord(name)) {
      const { member, unit } = admissionWords[name]
      admission[member] = whole(each, value) * unit
    } else {
      const known = [...rateWords, 'ACCOUNT-ID', ...Object.keys(admissionWords)].join(', ')
      throw new Error(`there is no limit '${name}'; there are ${known}`)
    }
  }
  return { rates: withShares(rates, admission.requestsMax), admission }
}

/** With fewer requests at a time, each account, principal and address gets fewer, too: none can take them all. */
function withShares({ account, principal, address, accounts }: RateLimits, requestsMax: number): RateLimits {
  const shared = (rate: Rate): Rate => ({
    ...rate,
    runningMax: Math.ceil((rate.runningMax * requestsMax) / admissionDefaults.requestsMax),
  })
  return {
    account: shared(account),
    principal: shared(principal),
    address: shared(address),
    accounts: new Map([...accounts].map(([id, rate]) => [id, shared(rate)])),
  }
}

const isAdmissionWord = (name: string): name is keyof typeof admissionWords => Object.hasOwn(admissionWords, name)

/** `RATE:BURST`, `RATE`, whose burst is two seconds of it, or `none`. */
function rateOf(said: string, value: string, { runningMax }: Rate): Rate {
  const endless = Number.POSITIVE_INFINITY
  if (value === 'none') return { perSecond: endless, burst: endless, runningMax: endless }
  const [perSecond = '', burst] = value.split(/:(.*)/)
  const rate = whole(said, perSecond)
  return { perSecond: rate, burst: burst === undefined ? 2 * rate : whole(said, burst), runningMax }
}

function whole(said: string, text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number * MIB))
    throw new Error(`'${said}' says no number of at least one where one belongs`)
  return number
}
