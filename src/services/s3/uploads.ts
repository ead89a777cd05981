/** Objects on their way into a bucket, by what their signature says of itself. */
import type { Upload } from '../../kernel/service/traits.ts'

export const objectUpload: Upload = {
  matches: ({ method, url, authorization = '' }) =>
    method === 'PUT' && (/\/s3\/aws4_request/.test(authorization) || /[?&]X-Amz-Credential=[^&]*%2Fs3%2F/i.test(url)),
  tooLarge: {
    status: 400,
    contentType: 'application/xml',
    body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>',
  },
}
