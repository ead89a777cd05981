/**
 * Detection of cross-site scripting: would this text, put into a page, run code? It is read as text between tags, as the value of
 * an attribute without quotes and in each kind of quotes, and as an address.
 *
 * @example
 * isXss('<img src=x onerror=alert(1)>') // true
 * isXss('"><script>') // true
 * isXss('if a < b and c > d') // false
 */
import { type HtmlAttribute, htmlTags } from './html-tokens.ts'
import { transform } from './transformations.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Elements that run code, load it, or change what addresses mean. */
const ELEMENTS = words(
  'script iframe frame frameset object embed applet base link meta style svg math layer ilayer bgsound xml isindex import animate ' +
    'animatetransform animatemotion set foreignobject handler listener portal template noscript xss comment event-source vmlframe ' +
    'noembed xmp',
)

/** Events of HTML, SVG and old browsers, without "on". */
const EVENTS = words(
  'abort activate afterprint afterscriptexecute afterupdate animationcancel animationend animationiteration animationstart ' +
    'auxclick beforeactivate beforecopy beforecut beforedeactivate beforeeditfocus beforeinput beforematch beforepaste beforeprint ' +
    'beforescriptexecute beforetoggle beforeunload beforeupdate begin blur bounce cancel canplay canplaythrough cellchange change click ' +
    'close command contentvisibilityautostatechange contextmenu controlselect copy cuechange cut dataavailable datasetchanged ' +
    'datasetcomplete dblclick deactivate domactivate drag dragdrop dragend dragenter dragexit dragleave dragover dragstart drop ' +
    'durationchange emptied end ended error errorupdate filterchange finish focus focusin focusout formdata formchange forminput ' +
    'fullscreenchange fullscreenerror gesturechange gestureend gesturestart gotpointercapture hashchange help input invalid keydown ' +
    'keypress keyup languagechange layoutcomplete load loadeddata loadedmetadata loadend loadstart location losecapture ' +
    'lostpointercapture message messageerror mousedown mouseenter mouseleave mousemove mouseout mouseover mouseup mousewheel move ' +
    'moveend movestart mozfullscreenchange offline online outofsync page pagehide pagereveal pageshow pageswap paste pause play playing ' +
    'pointercancel pointerdown pointerenter pointerleave pointermove pointerout pointerover pointerrawupdate pointerup popstate ' +
    'progress propertychange ratechange readystatechange rejectionhandled repeat reset resize resizeend resizestart resume reverse ' +
    'rowenter rowexit rowdelete rowinserted rowsdelete rowsinserted scroll scrollend scrollsnapchange scrollsnapchanging search ' +
    'securitypolicyviolation seek seeked seeking select selectionchange selectstart show slotchange stalled start stop storage submit ' +
    'suspend syncrestored timeerror timeupdate toggle touchcancel touchend touchmove touchstart trackchange transitioncancel ' +
    'transitionend transitionrun transitionstart unhandledrejection unload urlflip volumechange waiting ' +
    'webkitanimationend webkitanimationiteration webkitanimationstart webkitmouseforcechanged webkitmouseforcedown ' +
    'webkitmouseforceup webkitmouseforcewillbegin webkitplaybacktargetavailabilitychanged webkittransitionend ' +
    'webkitwillrevealbottom wheel zoom',
)

/** Attributes that hold addresses. */
const ADDRESSES = words(
  'action background codebase content cite classid data dynsrc formaction from href icon longdesc lowsrc manifest poster profile ' +
    'src srcdoc srcset to usemap value values xlink:href xml:base by path',
)

/** Attributes that are evidence alone. */
const ATTRIBUTES = words('srcdoc datasrc datafld dataformatas fscommand seeksegmenttime')

const LENGTH_MAX = 65_536

/** As browsers read an address: entities decoded; spaces, controls and escapes left out. */
const address = (value: string): string =>
  transform(value, ['HTML_ENTITY_DECODE', 'JS_DECODE'])
    .replace(/[\x00-\x20\x7f-\xa0]+/g, '')
    .replace(/&(?:tab|newline|colon);?/gi, (entity) => (/colon/i.test(entity) ? ':' : ''))
    .toLowerCase()

const CODE_ADDRESS =
  /^(?:javascript|vbscript|livescript|mocha|jscript|ecmascript|view-source|feed:javascript):|^data:(?!image\/(?:png|gif|jpe?g|webp)[;,])[^,]{0,80}(?:html|xml|svg|script|base64|,<)|^data:,|^data:text\/(?!plain)/

const isCodeAddress = (value: string): boolean => CODE_ADDRESS.test(address(value))

/** What code begins with, within the first word behind the colon: "JavaScript: the basics" is a title. */
const CODE_WORD = /^['"`\s]*[\w-]{1,20}\s*:\s*\S*[(`=[/\\%;,]/

/** A whole text that is an address of code. */
function isBareCodeAddress(text: string): boolean {
  const begin = text.slice(0, 512)
  if (!CODE_ADDRESS.test(address(begin).replace(/^['"`]+/, '')) || text.trim().length <= 12) return false
  const plain = transform(begin, ['HTML_ENTITY_DECODE', 'JS_DECODE']).replace(/[\x00-\x1f\x7f-\xa0]+/g, '')
  return (
    CODE_WORD.test(plain) || /&(?:#|tab|newline|colon|lpar)/i.test(plain) || /^['"`\s]*(?:[a-z]\s+){3}/i.test(plain)
  )
}

const STYLE_CODE =
  /expression\(|javascript:|-moz-binding|behaviou?r:|@import|vbscript:|url\(['"]?(?:javascript|data:(?!image))/

function isCode({ name, value, hasValue }: HtmlAttribute): boolean {
  if (name.startsWith('on') && hasValue && EVENTS.has(name.slice(2))) return true
  if (ATTRIBUTES.has(name) && hasValue) return true
  if (name === 'style') return STYLE_CODE.test(address(transform(value, ['CSS_DECODE'])).replace(/\/\*.*?\*\//g, ''))
  if (name.startsWith('xmlns')) return true
  return ADDRESSES.has(name) && isCodeAddress(value)
}

function isCodeTag(name: string): boolean {
  if (/^[!?%]/.test(name))
    return /^!(?:doctype|entity|element|attlist|\[cdata|--\[if|--[#>])|^\?(?:xml|import|php|=)|^%/.test(name)
  const plain = name.replace(/^\//, '')
  const local = plain.split(':').at(-1)!
  return ELEMENTS.has(plain) || ELEMENTS.has(local) || /^(?:script|iframe|svg|object|embed)[^a-z-]/.test(plain)
}

/** Whether a text runs code in one of its readings. */
export function isXss(text: string): boolean {
  const read = text.length > LENGTH_MAX ? text.slice(0, LENGTH_MAX) : text
  if (!/[<=:]/.test(read)) return false
  if (runsCode(read, false)) return true
  if (isBareCodeAddress(read)) return true
  // Attributes: without quotes, a space ends the value; else the quote does.
  if (!read.includes('=')) return false
  const attribute = /(?:^|[\s/])on[a-z]{3,40}[\s\0]*=[^\w]*\w+[^\w\s]/i.exec(read)
  if (attribute && runsCode(read.slice(attribute.index), true)) return true
  return ['"', "'", '`'].some((quote) => {
    const end = read.indexOf(quote)
    return end >= 0 && runsCode(read.slice(end + 1), true)
  })
}

const runsCode = (text: string, inTag: boolean): boolean =>
  htmlTags(text, inTag).some(({ name, attributes }) => isCodeTag(name) || attributes.some(isCode))
