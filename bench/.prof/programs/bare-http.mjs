/** `node:http` alone: reads the body of each request and answers a few bytes. The floor of what a call can cost. */
import { createServer } from 'node:http'

const BODY = JSON.stringify({ Account: '111122223333', Arn: 'arn:aws:iam::111122223333:root', UserId: '111122223333' })

const server = createServer((request, response) => {
  request.on('data', () => undefined)
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length })
    response.end(BODY)
  })
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
