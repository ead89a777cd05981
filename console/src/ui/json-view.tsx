/** JSON to read, in colors, with a button to copy it. */
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard'
import { Highlighted } from './json-highlight.tsx'

export function JsonView({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="json">
      <div className="json-copy">
        <CopyToClipboard
          variant="icon"
          textToCopy={text}
          copyButtonAriaLabel={`Copy ${label}`}
          copySuccessText="Copied"
          copyErrorText="The browser does not allow copying"
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: an area that scrolls must be reachable by the keyboard. */}
      <section tabIndex={0} aria-label={label}>
        <pre className="json-text">
          <Highlighted text={text} marks={[]} />
        </pre>
      </section>
    </div>
  )
}
