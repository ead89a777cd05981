/**
 * A rolldown plugin: characters beyond ASCII are written as escapes. Node decodes a module of ASCII alone several times as fast, and V8
 * keeps it in half the memory: one character beyond Latin-1 makes a whole module's text two bytes a character.
 */
import type { Plugin } from 'rolldown'

export function asciiOutput(): Plugin {
  return {
    name: 'ascii-output',
    generateBundle: {
      order: 'post',
      handler: (_options, bundle) => {
        for (const output of Object.values(bundle)) if (output.type === 'chunk') output.code = escaped(output.code)
      },
    },
  }
}

/**
 * In strings, templates, regular expressions and names an escape means the character; comments are no longer there.
 *
 * @throws where a backslash stands before such a character: the escape would change the meaning.
 * @example escaped("'é'") // "'\\u00e9'"
 */
export function escaped(code: string): string {
  const escapedTwice = /(?<!\\)(?:\\\\)*\\[\u0080-\uffff]/.exec(code)
  if (escapedTwice) throw new Error(`a backslash before a character that is not ASCII: ${escapedTwice[0]}`)
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
