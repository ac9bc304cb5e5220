// Package page is the status page: a read-only view of what the process has done lately, for the question why a
// notification came, or did not. The [Ledger] remembers the last events with what each Alert said to them, the last
// deliveries with their attempts, and the last calls of each Receiver; the [Handler] shows them.
//
// What is remembered is bounded, and is this replica's own: nothing is asked of the cluster.
package page
