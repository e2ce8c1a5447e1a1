package carafe.api;

import carafe.engine.transfer.TransferListener;
import carafe.engine.transfer.TransferMessage;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;

/// The answer to a transfer: a [MessageAnswer] of what happens to each layer.
final class TransferStream implements TransferListener, AutoCloseable {

    private static final int BAR = 50;
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB"};

    private final MessageAnswer answer;

    TransferStream(Call call) {
        this.answer = new MessageAnswer(call, "application/json", "\r\n");
    }

    @Override
    public void tell(TransferMessage message) {
        answer.send(json(message));
    }

    /// A message as Docker sends it.
    static Json json(TransferMessage message) {
        var nothing = Json.object().build();
        return switch (message) {
            case TransferMessage.Line(String text) -> Json.object().put("status", text).build();
            case TransferMessage.About(String id, String text) when text.startsWith("Pulling from ") ->
                Json.object().put("status", text).put("id", id).build();
            case TransferMessage.About(String id, String text) ->
                Json.object().put("status", text).put("progressDetail", nothing).put("id", id).build();
            case TransferMessage.Moving(String id, String text, long current, long total) -> Json.object()
                    .put("status", text)
                    .put("progressDetail", Json.object().put("current", current).put("total", total).build())
                    .put("progress", bar(current, total))
                    .put("id", id)
                    .build();
            case TransferMessage.Pushed(String tag, String digest, long size) -> Json.object()
                    .put("progressDetail", nothing)
                    .put("aux", Json.object().put("Tag", tag).put("Digest", digest).put("Size", size).build())
                    .build();
        };
    }

    /// `[=====>     ]  1.5MB/3MB`, which older clients print as it is.
    private static String bar(long current, long total) {
        int filled = total <= 0 ? BAR : Math.clamp(current * BAR / total, 0, BAR);
        String bar = "=".repeat(filled) + (filled < BAR ? ">" + " ".repeat(BAR - 1 - filled) : "");
        return "[" + bar + "] %8s/%s".formatted(human(current), human(total));
    }

    /// Four significant digits in decimal units, as Docker's clients show sizes.
    private static String human(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        var rounded = new java.math.BigDecimal(value).round(new java.math.MathContext(4)).stripTrailingZeros();
        return rounded.toPlainString() + UNITS[unit];
    }

    /// Tells of a failure; throws it if nothing was told before, so that it gets a status.
    void fail(EngineException e) throws EngineException {
        answer.fail(e, Json.object()
                .put("errorDetail", Json.object().put("message", e.getMessage()).build())
                .put("error", e.getMessage())
                .build());
    }

    void end() throws IOException {
        answer.end();
    }

    @Override
    public void close() {
        answer.close();
    }
}
