/** What the subcommands tell whoever runs them. */
export interface ProgramHooks {
  /** Takes the exit status of the subcommand that ran. */
  readonly finish: (exitCode: number) => void;
  /** Called once a server listens on all of its addresses. */
  readonly onListening?: () => void;
}
