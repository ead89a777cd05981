/** Injections and ordinary texts. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSqlInjection } from './sqli.ts'

describe('injections', () => {
  test.each([
    "1' or '1'='1",
    "' or 1=1--",
    "admin'--",
    "admin' #",
    '1 or 1=1',
    '1 and sleep(5)',
    '-1 union select 1,2,3',
    '1 UNION ALL SELECT NULL,NULL--',
    '1; drop table users',
    "'; exec xp_cmdshell('dir')--",
    '1/**/or/**/1=1',
    "1' and (select count(*) from information_schema.tables)>0--",
    '1/*!50000union*//*!50000select*/1,2',
    "' like '%",
    "'='",
    "' or true--",
    '1) or (1=1',
    "')) or (('a'='a",
    '1 order by 10--',
    "x' order by 3#",
    "' having 1=1--",
    "1;waitfor delay '0:0:5'--",
    "' waitfor delay '0:0:5'--",
    "' and extractvalue(1,concat(0x7e,version()))--",
    "1'||(select 1 from dual)||'",
    '" or ""="',
    "1' procedure analyse(extractvalue(1,2),1)-- -",
    "1 into outfile '/tmp/x'",
    "' union select user,password from users#",
    '1 AND ASCII(SUBSTRING((SELECT 1),1,1))>64',
    "' and ascii(substr(x,1,1))=97 and 'a'='a",
    "x'; insert into members values (1)--",
    "-1' union(select 1)",
    "'||utl_http.request('http://x')||'",
    "1'*column-0-'0",
    "x' and substring(version(),1,1)=5/*",
    '1 \xa0union\xa0select 1,2',
    '1108 and substring(version(),1,1)=5',
    'x=(select @@version)',
    '1 and cos(3)=sin(4)',
    '21 update pages set title=replace(cast(title as varchar(80)),cast(1 as varchar),2)',
    '(select name/2 from users limit 1,1)',
    "( (SELECT 'b') ) ; UPDATE users set password = 99;",
    "( COS ( 'b') )  --",
    '((select 1)) --',
    "('a' or 1) -- ",
  ])('%s', (text) => {
    expect(isSqlInjection(text, 'LOW')).toBe(true)
    expect(isSqlInjection(text, 'HIGH')).toBe(true)
  })

  test('what only HIGH finds', () => {
    for (const text of ['1 or 1', 'select @@version']) {
      expect([text, isSqlInjection(text, 'LOW'), isSqlInjection(text, 'HIGH')]).toEqual([text, false, true])
    }
  })
})

test('Prose in parentheses before a dash is none to LOW', () => {
  for (const text of ['(see the note above) --', '(apples or pears) --'])
    expect([text, isSqlInjection(text, 'LOW')]).toEqual([text, false])
})

test.each([
  "Miles O'Brien",
  '(apples or pears)',
  'page 21, update the pages and set the title',
  'cos(3) and sin(4)',
  "it's 5 or 6",
  'the committee selected a union representative',
  'The union select committee of the house',
  'select the best from the list',
  `5' - 6' tall`,
  "rock 'n' roll",
  'order by phone',
  '1 or 2 items',
  'drop me a line',
  'cats and dogs = fun',
  "I'd like to; update the doc",
  'a=b&c=d',
  "what's up? (nothing)",
  'say "hello" -- and go',
  'foo(bar) and baz(qux)',
  'x > 5 and y < 3',
  "he said 'or' and 'and' are words",
  'C# and F#',
  '1 # 2',
  '-- signature',
  "Let's select one from the 'menu'",
  'price=10 and size=large',
  "don't; do",
  "D'Angelo's & O'Neil's",
  `12" pizza and 6" sub`,
  "if (a == 'b' && c == 'd') return sleep(5)",
  'await sleep(100)',
  "x = x || 'default'",
  'Family and friends having meals outdoors',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
])('an ordinary text: %s', (text) => {
  expect(isSqlInjection(text, 'HIGH')).toBe(false)
})

test('Whatever the text, there is an answer', () => {
  const pieces = fc.constantFrom(
    "'",
    '"',
    '/*',
    '*/',
    '--',
    '#',
    '\n',
    '(',
    ')',
    'union',
    'select',
    ' ',
    '1',
    '=',
    'or',
    ';',
    '\\',
    '/*!',
    '`',
    '@',
  )
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 200 }).map((parts) => parts.join('')),
      (text) => {
        expect(typeof isSqlInjection(text, 'HIGH')).toBe('boolean')
      },
    ),
  )
})
