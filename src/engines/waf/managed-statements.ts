/** Statements that only managed rule groups have: on lists of addresses, and on bots. */
import type { Statement } from '@aws-sdk/client-wafv2'
import type { AddressListName } from './address-facts.ts'
import { type Bot, type BotCategory, botOf } from './bots.ts'
import { isAutomatedBrowser, isBrowser } from './browsers.ts'
import type { Inspection } from './inspection.ts'
import { headerValues } from './request.ts'

export type BotSignal = 'automated_browser' | 'known_bot_data_center' | 'non_browser_user_agent'

export interface ManagedStatement extends Statement {
  /** The address of the client's connection is in a list of the operator. */
  readonly AddressListStatement?: { readonly List: AddressListName }
  /** The user agent names a bot of the category, which is not a verified one. Labels name the bot, whether or not the statement matches. */
  readonly BotCategoryStatement?: { readonly Category: BotCategory }
  /** Nothing names a bot, but something else is one's. */
  readonly BotSignalStatement?: { readonly Signal: BotSignal }
}

type Predicate = (inspection: Inspection) => boolean

/** undefined for another statement. */
export function managedPredicate(statement: ManagedStatement, labelPrefix: string): Predicate | undefined {
  const { AddressListStatement, BotCategoryStatement, BotSignalStatement } = statement
  if (AddressListStatement) {
    const { List } = AddressListStatement
    return ({ request, addresses }) => addresses.isListed(List, request.clientIp)
  }
  if (BotCategoryStatement) {
    const { Category } = BotCategoryStatement
    return (inspection) => {
      const found = namedBot(inspection)
      if (!found) return false
      inspection.addLabel(`${labelPrefix}bot:name:${found.bot.name}`)
      inspection.addLabel(`${labelPrefix}bot:${found.isVerified ? 'verified' : 'unverified'}`)
      // Bots of AI are for the owner of the site to decide, verified or not.
      return found.bot.category === Category && (Category === 'ai' || !found.isVerified)
    }
  }
  if (BotSignalStatement) {
    const { Signal } = BotSignalStatement
    return (inspection) => !namedBot(inspection)?.isVerified && SIGNALS[Signal](inspection)
  }
  return undefined
}

const SIGNALS: Readonly<Record<BotSignal, Predicate>> = {
  automated_browser: (inspection) => isAutomatedBrowser(userAgent(inspection)),
  known_bot_data_center: ({ request, addresses }) => addresses.isListed('bot-data-centers', request.clientIp),
  non_browser_user_agent: (inspection) => !isBrowser(userAgent(inspection)),
}

const userAgent = ({ request }: Inspection): string => headerValues(request, 'user-agent')[0] ?? ''

function namedBot(inspection: Inspection): { readonly bot: Bot; readonly isVerified: boolean } | undefined {
  const agent = userAgent(inspection)
  inspection.steps.spend(agent.length)
  const bot = botOf(agent)
  return bot && { bot, isVerified: inspection.addresses.isBot(inspection.request.clientIp, bot.name) }
}
