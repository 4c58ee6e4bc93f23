// Command river measures River, the job queue that candor is compared with, on
// the job that bench/drain gives candor: put n jobs that do nothing into a
// queue, then work them with w workers, every completion durable.
//
// It is a module of its own, so that River and its Postgres driver are no
// dependencies of candor.
//
// It is meant to show River at its best:
//
//   - the shortest fetch pauses that River accepts, since its documentation
//     names them as the limit of throughput (the fetch-cooldown flag);
//   - its fast bulk insert, in chunks of 5,000;
//   - its own batch completer, as shipped;
//   - a warm-up that opens connections and fills caches before the clock runs;
//   - the drain is timed from the first job that a worker sees to the event of
//     the last committed completion, so that no start-up is counted.
//
// What it does not give away is durability: Postgres keeps fsync and
// synchronous_commit on, SQLite runs with journal_mode=WAL and
// synchronous=FULL, and at the end the store is asked whether every job is
// complete. Put -dir on a real disk: on a memory file system a flush is free
// and the numbers mean nothing.
//
// The Postgres is private: made in a fresh folder, reachable by a unix socket
// only, and stopped at the end.
package main
