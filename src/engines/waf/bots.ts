/**
 * Bots that say what they are: by their user agent, with the category under which AWS's Bot Control names them.
 *
 * Source of the categories: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-bot.html. The user agents are
 * those that the operators of the bots publish.
 */

export const BOT_CATEGORIES = [
  'advertising',
  'archiver',
  'content_fetcher',
  'email_client',
  'http_library',
  'link_checker',
  'miscellaneous',
  'monitoring',
  'page_preview',
  'scraping_framework',
  'search_engine',
  'security',
  'seo',
  'social_media',
  'webhooks',
  'ai',
] as const
export type BotCategory = (typeof BOT_CATEGORIES)[number]

export interface Bot {
  /** As labels name it: `googlebot`. */
  readonly name: string
  readonly category: BotCategory
}

/** Names by category. Where a user agent has another text, it is behind the name: `wayback=archive.org_bot`. */
const NAMES: Readonly<Record<BotCategory, string>> = {
  // The first that is found counts: AI before search engines, whose names some of them contain.
  ai:
    'gptbot oai_searchbot=oai-searchbot chatgpt_user=chatgpt-user claudebot claude_user=claude-user claude_web=claude-web ' +
    'claude_searchbot=claude-searchbot anthropic_ai=anthropic-ai perplexitybot perplexity_user=perplexity-user ccbot bytespider amazonbot ' +
    'meta_externalagent=meta-externalagent meta_externalfetcher=meta-externalfetcher cohere_ai=cohere-ai diffbot youbot mistralai_user=mistralai-user ' +
    'applebot_extended=applebot-extended google_extended=google-extended duckassistbot timpibot omgili imagesift',
  advertising:
    'adsbot_google=adsbot-google mediapartners_google=mediapartners-google adidxbot criteobot grapeshotcrawler=grapeshot proximic ias_crawler adbeat',
  archiver: 'archive_org_bot=archive.org_bot ia_archiver heritrix wayback archivebox',
  email_client:
    'googleimageproxy yahoomailproxy thunderbird microsoft_outlook=microsoft%20outlook microsoft_office=microsoft%20office',
  content_fetcher:
    'feedfetcher_google=feedfetcher-google feedly feedbin inoreader newsblur flipboard theoldreader tiny_tiny_rss=tiny%20tiny%20rss miniflux ' +
    'freshrss itms podcasts googleother google_read_aloud=google-read-aloud pocketparser',
  page_preview:
    'slackbot_linkexpanding=slackbot-linkexpanding slack_imgproxy=slack-imgproxy discordbot telegrambot whatsapp skypeuripreview embedly ' +
    'iframely bitlybot mastodon google_pagerenderer=google-pagerenderer',
  monitoring:
    'uptimerobot pingdom statuscake site24x7 datadogsynthetics newrelicpinger betteruptime=better%20uptime checkly ' +
    'route53_health_check=amazon-route53-health-check googlestackdrivermonitoring uptime_kuma=uptime-kuma freshping catchpoint gtmetrix ' +
    'chrome_lighthouse=chrome-lighthouse',
  social_media:
    'facebookexternalhit facebookcatalog twitterbot linkedinbot pinterestbot redditbot vkshare xing_contenttabreceiver=xing-contenttabreceiver snap_url_preview=snap%20url%20preview',
  webhooks:
    'github_hookshot=github-hookshot gitlab_webhook=gitlab/ bitbucket_webhooks=bitbucket-webhooks stripe_webhook=stripe/ twilioproxy ' +
    'paypal_ipn=paypal%20ipn shopify_captain_hook=shopify-captain-hook svix_webhooks=svix-webhooks slackbot razorpay_webhook=razorpay-webhook hookdeck',
  search_engine:
    'googlebot google_inspectiontool=google-inspectiontool storebot_google=storebot-google bingbot bingpreview msnbot yandexbot yandeximages ' +
    'baiduspider duckduckbot applebot sogou=sogou%20web%20spider petalbot seznambot naver=yeti/ qwantbot=qwant yahoo_slurp=yahoo!%20slurp mojeekbot coccocbot exabot',
  seo:
    'ahrefsbot ahrefssiteaudit semrushbot siteauditbot mj12bot dotbot rogerbot blexbot serpstatbot screaming_frog=screaming%20frog sistrix ' +
    'dataforseobot seokicks barkrowler linkdexbot megaindex seranking',
  security:
    'censysinspect shodan expanse internetmeasurement zgrab masscan nmap nuclei nessus qualys detectify ' +
    'securitytrails netcraft_survey=netcraft ssl_labs=ssl%20labs leakix palo_alto=paloaltonetworks burpsuite=burp acunetix nikto ' +
    'sqlmap wpscan',
  link_checker:
    'w3c_checklink=w3c-checklink linkchecker dr_link_check=drlinkcheck xenu=xenu%20link%20sleuth brokenlinkcheck deadlinkchecker lychee',
  scraping_framework:
    'scrapy colly nutch crawlee mechanize htmlunit crawler4j webmagic goutte pyspider jaunt httrack webzip',
  http_library:
    'curl=curl/ libcurl wget python_requests=python-requests python_urllib=python-urllib python_httpx=python-httpx aiohttp urllib3 ' +
    'go_http_client=go-http-client okhttp apache_httpclient=apache-httpclient java=java/ axios node_fetch=node-fetch undici got=got%20( ' +
    'libwww_perl=libwww-perl lwp=lwp:: guzzle=guzzlehttp postman=postmanruntime insomnia ruby_faraday=faraday ruby=ruby httpie reqwest dart=dart/ ' +
    'powershell restsharp winhttp python=python/ pycurl http_client=http-client perl_http_tiny=http-tiny superagent typhoeus unirest deno=deno/ bun=bun/',
  // Those without a name of their own.
  miscellaneous: 'crawler spider scraper',
}

/** User agents are longer in attacks only. */
const CHARS_MAX = 1_024

interface Named extends Bot {
  readonly text: string
}

const bots: readonly Named[] = Object.entries(NAMES).flatMap(([category, names]) =>
  names.split(' ').map((each) => {
    const [name = '', text = name] = each.split('=')
    return { name, category: category as BotCategory, text: text.replaceAll('%20', ' ') }
  }),
)

/**
 * The bot that a user agent names.
 *
 * @example
 * botOf('curl/8.5.0') // { name: 'curl', category: 'http_library' }
 */
export function botOf(userAgent: string): Bot | undefined {
  const text = userAgent.slice(0, CHARS_MAX).toLowerCase()
  return bots.find((bot) => text.includes(bot.text)) ?? (UNNAMED.test(text) ? OTHER : undefined)
}

/** Cubot makes telephones. */
const UNNAMED = /(?<!cu)bot(?![a-z])/
const OTHER: Bot = { name: 'bot', category: 'miscellaneous' }
