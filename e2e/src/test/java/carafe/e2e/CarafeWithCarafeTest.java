package carafe.e2e;

/// Our engine, asked through our own command.
final class CarafeWithCarafeTest extends DockerCommandContract {
    CarafeWithCarafeTest() throws Exception {
        super(new CarafeDaemon(), Client.carafe());
    }
}
