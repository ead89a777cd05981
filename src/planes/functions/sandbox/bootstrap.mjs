/**
 * The Node.js runtime: fetches an event, passes it to the handler, sends back the result.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { pathToFileURL } from 'node:url'

const env = process.env
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':')

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(
      { host, port, method, path: `/2018-06-01/runtime${path}`, headers, agent: false },
      (answer) => {
        const chunks = []
        answer.on('data', (chunk) => chunks.push(chunk))
        answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') }))
        answer.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** What is thrown need not be an error: AWS then names its type. */
function said(error, errorType) {
  if (!(error instanceof Error))
    return JSON.stringify({ errorType: errorType ?? typeof error, errorMessage: String(error), trace: [] })
  const { name, message, stack = '' } = error
  return JSON.stringify({ errorType: errorType ?? name, errorMessage: message, trace: stack.split('\n') })
}

class HandlerError extends Error {}

async function load() {
  const [, module, name] = /^(.*)\.([^./]+)$/.exec(env._HANDLER) ?? []
  const file = ['.mjs', '.js', '.cjs'].map((ending) => `${env.LAMBDA_TASK_ROOT}/${module}${ending}`).find(existsSync)
  if (file === undefined) {
    const error = new HandlerError(`Error: Cannot find module '${module ?? env._HANDLER}'`)
    error.type = 'Runtime.ImportModuleError'
    throw error
  }
  const exported = await import(pathToFileURL(file).href)
  const handler = exported[name] ?? exported.default?.[name]
  if (typeof handler === 'function') return handler
  const error = new HandlerError(`${env._HANDLER} is undefined or not exported`)
  error.type = 'Runtime.HandlerNotFound'
  throw error
}

function called(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value))
    const given = { ...context, done: callback, succeed: resolve, fail: reject }
    const answer = handler(event, given, callback)
    if (typeof answer?.then === 'function') answer.then(resolve, reject)
    else if (handler.length < 3) resolve(answer)
    // Nothing left to wait for, and no callback was called: AWS answers null.
    else process.once('beforeExit', () => resolve(null))
  })
}

let handler
try {
  handler = await load()
} catch (error) {
  await call('POST', '/init/error', said(error, error?.type))
  process.exit(1)
}

for (;;) {
  const { headers, body } = await call('GET', '/invocation/next')
  const id = headers['lambda-runtime-aws-request-id']
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const context = {
    awsRequestId: id,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  const failed = (error, type) => {
    console.error(error)
    return call('POST', `/invocation/${id}/error`, said(error, type))
  }
  let value
  try {
    value = await called(handler, JSON.parse(body), context)
  } catch (error) {
    await failed(error)
    continue
  }
  let answer
  try {
    answer = JSON.stringify(value) ?? 'null'
  } catch (error) {
    await failed(new Error(`Unable to marshal response: ${error.message}`), 'Runtime.MarshalError')
    continue
  }
  await call('POST', `/invocation/${id}/response`, answer)
}
