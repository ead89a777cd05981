/** Scripts and ordinary texts. */
import { expect, test } from 'vitest'
import { isXss } from './xss.ts'

test.each([
  '<script>alert(1)</script>',
  '<ScRiPt/x>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert`1`>',
  '"><script>',
  `' onfocus=x() autofocus '`,
  'x onmouseover=alert(1)',
  '<a href="javascript:alert(1)">',
  '<a href="jav&#x09;ascript:alert(1)">',
  '<a href=&#106avascript:alert(1)>',
  '<iframe src=data:text/html;base64,PHN2>',
  '<div style="width:expression(alert(1))">',
  '<form><button formaction=javascript:x>',
  'javascript:alert(document.cookie)',
  '<!--[if gte IE 4]>',
  '<?xml version="1.0"?>',
  '<scr\0ipt>',
  '<body onload =x()>',
  '<math><x xlink:href=javascript:x>',
  '<img src="x" / onerror = "x()">',
  '</script><b>',
  '<object data=x>',
  'onerror=alert(1)>',
])('runs code: %s', (text) => {
  expect(isXss(text)).toBe(true)
})

test.each([
  'if a < b and c > d',
  'x<y; y>z',
  'once = 5',
  'window.onload = function(){}',
  'a=b online=true',
  '<3 you',
  '5 < 6 = true',
  '<b>bold</b>',
  'http://example.com/?a=b',
  'key: value',
  'he said "on click = yes"',
  '<a href="https://example.com/">',
  'style="color:red"',
  'C:\\dir',
  'a <- b',
  'List<String> names = new ArrayList<>()',
  '<p class="x">text</p>',
  'data: 5',
  '1 << 2',
  '<https://example.com>',
])('an ordinary text: %s', (text) => {
  expect(isXss(text)).toBe(false)
})
