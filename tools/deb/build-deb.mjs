/**
 * `node tools/deb/build-deb.mjs DIRECTORY`: a Debian package of a build (`npm run build`), by Debian's own dpkg-deb: the program, the
 * systemd unit, a system user and its directories. Node.js comes from the distribution (Debian 13) or from NodeSource.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { copyProgram } from '../program-files.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
const MAINTAINER = 'Merlon contributors <merlon@example.invalid>'
const NODE_LEAST = '20.19'

const WRAPPER = `#!/bin/sh
exec /usr/bin/node /usr/lib/merlon/dist/merlon.js "$@"
`
const SYSUSERS = 'u merlon - "Merlon server" /var/lib/merlon\n'
const TMPFILES = 'd /var/lib/merlon 0700 merlon merlon -\n'
const ENVIRONMENT = `# Settings of the server, one NAME=VALUE a line; read at each start. See docs/operations.md.
#MERLON_TLS=auto
#MERLON_LIMITS=account=8000
`

/** `DPKG_ROOT` is set where dpkg installs into another directory without chroot: nothing of this system is touched then. */
const POSTINST = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers \${DPKG_ROOT:+--root="$DPKG_ROOT"} merlon.conf
  systemd-tmpfiles \${DPKG_ROOT:+--root="$DPKG_ROOT"} --create merlon.conf
  if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # Not started for the first time: the operator chooses the account and the sealer before (merlon init).
    systemctl try-restart merlon.service || true
  fi
fi
`
const PRERM = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now merlon.service || true
fi
`
/** Data and keys are never removed by a package. */
const POSTRM = `#!/bin/sh
set -e
if [ "$1" = purge ] && [ -d "$DPKG_ROOT/var/lib/merlon" ]; then
  echo "The data directory /var/lib/merlon and its keys are kept. Remove them by hand when nothing needs them."
fi
`

const control = ({ version, description }, architecture, kilobytes) => `Package: merlon
Version: ${version}
Section: net
Priority: optional
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${kilobytes}
Depends: nodejs (>= ${NODE_LEAST}), libc6 (>= 2.31), systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles
Recommends: ca-certificates
Suggests: bubblewrap, opensc
Description: AWS-API-compatible security services that you host yourself
 ${description
   .match(/.{1,76}(?:\s|$)/g)
   .map((line) => line.trim())
   .join('\n ')}
`

/** Returns the path of the package. */
export function buildDeb(target) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const architecture = ARCHITECTURES[process.arch]
  if (process.platform !== 'linux' || !architecture)
    throw new Error(`No Debian package for ${process.platform}-${process.arch}`)
  const staging = mkdtempSync(join(tmpdir(), 'merlon-deb-'))
  const put = (path, content, mode = 0o644) => {
    mkdirSync(dirname(join(staging, path)), { recursive: true })
    writeFileSync(join(staging, path), content)
    chmodSync(join(staging, path), mode)
  }
  try {
    chmodSync(staging, 0o755)
    copyProgram(join(staging, 'usr/lib/merlon'))
    put('usr/bin/merlon', WRAPPER, 0o755)
    put('usr/lib/systemd/system/merlon.service', unit())
    put('usr/lib/sysusers.d/merlon.conf', SYSUSERS)
    put('usr/lib/tmpfiles.d/merlon.conf', TMPFILES)
    put('etc/merlon/environment', ENVIRONMENT, 0o640)
    put('usr/share/doc/merlon/copyright', copyright())
    put('usr/share/doc/merlon/changelog.gz', gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 }))
    normalize(staging)
    const kilobytes = Math.ceil(bytesBelow(staging) / 1024)
    put('DEBIAN/control', control(manifest, architecture, kilobytes))
    put('DEBIAN/conffiles', '/etc/merlon/environment\n')
    put('DEBIAN/postinst', POSTINST, 0o755)
    put('DEBIAN/prerm', PRERM, 0o755)
    put('DEBIAN/postrm', POSTRM, 0o755)
    const file = join(target, `merlon_${manifest.version}_${architecture}.deb`)
    mkdirSync(target, { recursive: true })
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', staging, file], { stdio: 'pipe' })
    return file
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** The unit of deploy/systemd, with the package's own user and path. */
function unit() {
  return readFileSync(join(root, 'deploy/systemd/merlon.service'), 'utf8')
    .replace(/^#.*npm install.*\n#.*cp merlon\.service.*\n#\n/m, '')
    .replace('/usr/local/bin/merlon', '/usr/bin/merlon')
    .replace('DynamicUser=yes', 'User=merlon\nGroup=merlon')
}

const copyright = () => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: merlon

Files: *
Copyright: 2026 the authors of Merlon
License: Apache-2.0
 On Debian systems the full text of the license is in /usr/share/common-licenses/Apache-2.0.
Comment: the parts of other projects that are bundled are listed in /usr/lib/merlon/NOTICE.
`

/** Directories 0755 and files 0644, whatever the umask of the build was; programs keep their bit. */
function normalize(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      chmodSync(path, 0o755)
      normalize(path)
    } else if (entry.name !== 'environment') chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644)
  }
}

function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , target] = process.argv
  if (!target) throw new Error('Usage: node tools/deb/build-deb.mjs DIRECTORY')
  console.log(buildDeb(target))
}
