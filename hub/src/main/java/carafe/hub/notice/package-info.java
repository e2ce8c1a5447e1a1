/// What the hub tells others: webhooks of pushes, pulls and deletions, and numbers for Prometheus.
///
/// Entry types: [Event] is what happened, [Webhooks] tells it, [Metrics] counts it.
/// It must never know how a request came in, nor make one wait: queues are bounded and drop what does not fit.
/// Any thread reports; one virtual thread for each endpoint sends.
/// Spec: Docker registry notifications (the envelope of events), Prometheus text exposition format 0.0.4.
@NullMarked
package carafe.hub.notice;

import org.jspecify.annotations.NullMarked;
