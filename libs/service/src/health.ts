/** What the service says about itself under `/health/ready`. */
export interface Health {
  /** Readiness needs `probe` to resolve; its rejection is shown as the reason. */
  watch(name: string, probe: () => Promise<void>): void;
}
