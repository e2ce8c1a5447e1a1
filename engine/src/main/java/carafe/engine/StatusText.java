package carafe.engine;

import java.time.Duration;
import java.time.Instant;

/// Docker's English for how a container is and how long ago something was.
final class StatusText {
    private StatusText() {}

    /// `Up 3 minutes`, `Exited (0) 2 hours ago`, `Created`…
    static String of(State state, Instant now) {
        return switch (state) {
            case State.Created _ -> "Created";
            case State.Running(var pid, var started) -> "Up " + span(Duration.between(started, now));
            case State.Paused(var running) -> of(running, now) + " (Paused)";
            case State.Restarting(var last, var next) ->
                "Restarting (" + last.exitCode() + ") " + span(Duration.between(last.finishedAt(), now)) + " ago";
            case State.Exited exited ->
                "Exited (" + exited.exitCode() + ") " + span(Duration.between(exited.finishedAt(), now)) + " ago";
            case State.Removing _ -> "Removal In Progress";
        };
    }

    /// A duration in one rounded unit, as go-units' HumanDuration.
    static String span(Duration duration) {
        long seconds = Math.max(0, duration.toSeconds());
        long minutes = seconds / 60;
        long hours = (seconds + 1800) / 3600;
        if (seconds < 1) {
            return "Less than a second";
        } else if (seconds == 1) {
            return "1 second";
        } else if (seconds < 60) {
            return seconds + " seconds";
        } else if (minutes == 1) {
            return "About a minute";
        } else if (minutes < 60) {
            return minutes + " minutes";
        } else if (hours == 1) {
            return "About an hour";
        } else if (hours < 48) {
            return hours + " hours";
        } else if (hours < 24 * 7 * 2) {
            return hours / 24 + " days";
        } else if (hours < 24 * 30 * 2) {
            return hours / 24 / 7 + " weeks";
        } else if (hours < 24 * 365 * 2) {
            return hours / 24 / 30 + " months";
        }
        return duration.toHours() / 24 / 365 + " years";
    }
}
