package carafe.api;

import carafe.engine.Containers;
import carafe.engine.UsageSample;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What a container uses: one sample a second as long as the client listens, or one answer (`stream=0`) made of two
/// samples a second apart, unless `one-shot` says that one will do.
final class StatsRoute implements Routes.Action {

    private static final UsageSample NONE = new UsageSample(
            Instant.EPOCH,
            new UsageSample.Cpu(0, 0, 0, 0, 0, new UsageSample.Throttling(0, 0, 0)),
            new UsageSample.Memory(0, 0, 0),
            new UsageSample.Pids(0, 0),
            new UsageSample.BlockIo(0, 0),
            java.util.Map.of(),
            java.util.Map.of());

    private final Containers containers;

    StatsRoute(Containers containers) {
        this.containers = containers;
    }

    @Override
    public void run(Call call) throws Exception {
        var container = containers.inspect(call.name("id"), false).container();
        boolean stream = call.query().first("stream").isEmpty() || call.flag("stream");
        var gone = new CountDownLatch(1);
        call.exchange().onClientGone(gone::countDown);
        if (!stream) {
            UsageSample first = call.flag("one-shot") ? NONE : sample(container.id()).orElse(NONE);
            if (first != NONE) {
                gone.await(1, TimeUnit.SECONDS);
            }
            var second = sample(container.id());
            call.answer(second.map(now -> message(container.id(), container.name(), first, now))
                    .orElseGet(() -> message(container.id(), container.name(), NONE, NONE)));
            return;
        }
        try (var out = call.answerStreaming("application/json")) {
            UsageSample before = NONE;
            do {
                UsageSample now = sample(container.id()).orElse(NONE);
                out.write((message(container.id(), container.name(), before, now).print() + "\n")
                        .getBytes(StandardCharsets.UTF_8));
                out.flush();
                before = now;
            } while (!gone.await(1, TimeUnit.SECONDS));
        } catch (IOException e) {
            if (!call.exchange().clientGone()) {
                throw e;
            }
        }
    }

    /// What it uses now; empty when it does not run.
    private Optional<UsageSample> sample(String id) throws EngineException {
        try {
            return Optional.of(containers.usage(id));
        } catch (EngineException.Conflict e) {
            return Optional.empty();
        }
    }

    private static Json message(String id, String name, UsageSample before, UsageSample now) {
        var memory = now == NONE
                ? Json.object().build()
                : Json.object()
                        .put("usage", now.memory().usedBytes())
                        .put("max_usage", now.memory().peakBytes())
                        .put("stats", memoryDetail(now))
                        .put("limit", now.memory().limitBytes())
                        .build();
        return Json.object()
                .put("read", time(now))
                .put("preread", time(before))
                .put("pids_stats", Json.object()
                        .put("current", now.pids().current())
                        .put("limit", now.pids().limit())
                        .build())
                .put("blkio_stats", blockIo(now))
                .put("num_procs", 0)
                .put("storage_stats", Json.object().build())
                .put("cpu_stats", cpu(now))
                .put("precpu_stats", cpu(before))
                .put("memory_stats", memory)
                .put("networks", NetworkMessages.traffic(now.networks()))
                .put("name", "/" + name)
                .put("id", id)
                .build();
    }

    private static String time(UsageSample sample) {
        return sample == NONE ? Timestamps.ZERO : Timestamps.print(sample.readAt());
    }

    private static Json memoryDetail(UsageSample sample) {
        var detail = Json.object();
        sample.memoryDetail().forEach(detail::put);
        return detail.build();
    }

    private static Json blockIo(UsageSample sample) {
        var io = sample.blockIo();
        var entries = Json.ofAll(java.util.List.of(
                Json.object().put("major", 0).put("minor", 0).put("op", "read").put("value", io.readBytes()).build(),
                Json.object().put("major", 0).put("minor", 0).put("op", "write").put("value", io.writtenBytes())
                        .build()));
        return Json.object().put("io_service_bytes_recursive", sample == NONE ? Json.NULL : entries).build();
    }

    private static Json cpu(UsageSample sample) {
        var cpu = sample.cpu();
        var json = Json.object()
                .put("cpu_usage", Json.object()
                        .put("total_usage", cpu.totalNanos())
                        .put("usage_in_kernelmode", cpu.kernelNanos())
                        .put("usage_in_usermode", cpu.userNanos())
                        .build());
        if (sample != NONE) {
            json.put("system_cpu_usage", cpu.hostNanos()).put("online_cpus", cpu.onlineCpus());
        }
        return json.put("throttling_data", Json.object()
                        .put("periods", cpu.throttling().periods())
                        .put("throttled_periods", cpu.throttling().throttled())
                        .put("throttled_time", cpu.throttling().throttledNanos())
                        .build())
                .build();
    }
}
