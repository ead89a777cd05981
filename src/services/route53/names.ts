/** Names of DNS as Route 53 orders and prints them. */

/** `www.corp.test.` → `test.corp.www`: record sets are listed in this order. */
export const reversedName = (name: string): string => name.replace(/\.$/, '').split('.').reverse().join('.')

/** An asterisk is printed by its code. */
export const printedName = (name: string): string => name.replace(/^\*/, '\\052')

/** Whether the zone contains the name. Both fully qualified, in lower case. */
export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`)
