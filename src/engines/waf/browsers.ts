/** Browsers by their user agent: whether it has the form of one, and whether a program drives it. */

/** User agents are longer in attacks only. */
const CHARS_MAX = 1_024

/** What automated browsers add to their user agent. */
export const isAutomatedBrowser = (userAgent: string): boolean =>
  /headlesschrome|phantomjs|slimerjs|selenium|webdriver|playwright|puppeteer|cypress|zombie\.js/i.test(
    userAgent.slice(0, CHARS_MAX),
  )

/** Every browser begins so since Netscape, and names its system and its engine. */
export const isBrowser = (userAgent: string): boolean =>
  /^(?:Mozilla\/\d\.\d+ \(|Opera\/\d)/.test(userAgent) && userAgent.length > 30
