/** `merlon … | head` closes the pipe early: that is no failure, and ends the command. */
export function endWithClosedPipe(): void {
  if (!process.stdout.listeners('error').includes(end)) process.stdout.on('error', end)
}

function end(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
}
