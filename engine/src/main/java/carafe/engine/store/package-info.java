/// What must outlive the daemon: the database of records, and the lock that keeps a data root for one daemon.
/// Entry: [Database], [DataRootLock].
/// Never knows: what a record means; documents are JSON texts here.
/// Threads: any may call; one platform thread writes, several waiting writes share one commit.
/// Spec: SQLite with write-ahead log and full synchronisation.
@NullMarked
package carafe.engine.store;

import org.jspecify.annotations.NullMarked;
