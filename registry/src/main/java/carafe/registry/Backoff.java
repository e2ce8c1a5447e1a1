package carafe.registry;

import carafe.http.Headers;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/// Counts the attempts at one thing and pauses between them.
final class Backoff {

    private final Waiting waiting;
    private int failed;

    Backoff(Waiting waiting) {
        this.waiting = waiting;
    }

    /// Something went well meanwhile: the count begins anew.
    void progressed() {
        failed = 0;
    }

    /// Counts a failure; whether another attempt is due, for which this has paused. A pause that the server asked for is
    /// kept, unless it is too long to wait.
    boolean again(Optional<Duration> asked) throws InterruptedException {
        var patience = waiting.patience();
        failed++;
        if (failed >= patience.attempts() || asked.isPresent() && asked.get().compareTo(patience.longestAsked()) > 0) {
            return false;
        }
        long usual = Math.min(patience.longestPause().toMillis(), patience.pause().toMillis() << Math.min(failed - 1, 20));
        long jittered = usual / 2 + ThreadLocalRandom.current().nextLong(usual / 2 + 1);
        waiting.pause().sleep(asked.orElse(Duration.ofMillis(jittered)));
        return true;
    }

    /// The pause that Retry-After asks for, in either of its forms. Source: RFC 9110 §10.2.3.
    Optional<Duration> asked(Headers headers) {
        String text = headers.first("Retry-After").orElse("").strip();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (text.length() <= 9 && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            var moment = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
            var left = Duration.between(waiting.clock().instant(), moment);
            return Optional.of(left.isNegative() ? Duration.ZERO : left);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
