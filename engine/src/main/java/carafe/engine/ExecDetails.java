package carafe.engine;

import carafe.spec.docker.ExecConfig;
import java.util.Optional;

/// An exec as inspect tells it; `exitCode` is empty while it has not ended, `pid` 0 while it does not run.
public record ExecDetails(
        String id, String containerId, ExecConfig config, boolean running, Optional<Integer> exitCode, int pid) {}
