/**
 * AWSManagedRulesBotControlRuleSet, at the level COMMON: the names and labels of AWS's group. Bots are known by what they say of
 * themselves, and verified by a list of the operator.
 *
 * Source of names: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-bot.html
 */
import { BOT_CATEGORIES, type BotCategory } from '../bots.ts'
import type { BotSignal, ManagedStatement } from '../managed-statements.ts'
import { type ManagedRule, managedGroup } from './rules.ts'

/** `http_library`: `HttpLibrary`. */
const pascal = (name: string): string => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

const category = (Category: BotCategory): ManagedRule => ({
  name: `Category${Category === 'ai' ? 'AI' : pascal(Category)}`,
  label: `bot:category:${Category}`,
  statement: { BotCategoryStatement: { Category } } as ManagedStatement,
})

const signal = (Signal: BotSignal): ManagedRule => ({
  name: `Signal${pascal(Signal)}`,
  label: `signal:${Signal}`,
  statement: { BotSignalStatement: { Signal } } as ManagedStatement,
})

export const botControl = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesBotControlRuleSet',
    namespace: 'bot-control',
    description: 'Contains rules on bots that say what they are, and on clients that are no browsers.',
    capacity: 50,
  },
  [
    ...BOT_CATEGORIES.map(category),
    ...(['automated_browser', 'known_bot_data_center', 'non_browser_user_agent'] as const).map(signal),
  ],
)
