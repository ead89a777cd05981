/** The inbox of `--dev`: its readers, and their mail. */
import { CreateLoginProfileCommand } from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { deliveredMail } from '../../kernel/ports/delivered-mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { Browser, iamOf, setRoot } from './browser.fixture.ts'

const PASSWORD = 'Correct-Horse-7'
const mail = [
  { key: '1', account: ACCOUNT, to: 'ann@corp.test', subject: 'Code <1>', text: 'It is <b>493027</b>.' },
  { key: '2', account: OTHER_ACCOUNT, to: 'bob@corp.test', subject: 'Theirs', text: 'It is 1.' },
]

test('shows the mail of an account to its root user, as text, and to no other user', async () => {
  const opened = await cloud({ provides: [provide(deliveredMail, { delivered: () => mail })] })
  await opened.user('ada')
  await iamOf(opened).send(new CreateLoginProfileCommand({ UserName: 'ada', Password: PASSWORD }))
  await setRoot(opened, ACCOUNT, 'root@corp.test', PASSWORD)
  const [root, ada, stranger] = [new Browser(opened), new Browser(opened), new Browser(opened)]
  await root.asRoot('root@corp.test', PASSWORD)
  await ada.asUser(ACCOUNT, 'ada', PASSWORD)

  const { text } = await root.open('/inbox')
  expect(text).toContain('Code &lt;1&gt;')
  expect(text).not.toContain('Theirs')
  const [, link = ''] = /href="(\/inbox\/[^"]+)"/.exec(text) ?? []
  expect((await root.open(link)).text).toContain('<pre>It is &lt;b&gt;493027&lt;/b&gt;.</pre>')
  expect((await root.open('/inbox/0000000000000000')).status).toBe(404)
  for (const path of ['/inbox', link]) {
    expect((await ada.open(path)).status).toBe(403)
    expect(await stranger.open(path)).toMatchObject({ status: 303, location: '/signin' })
  }
})
