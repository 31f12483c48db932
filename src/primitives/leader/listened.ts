import { EventEmitter } from "eventemitter3";

/** An emitter that is told when listeners come and go, so that it need not work for nobody. */
export abstract class ListenedEmitter<Events extends object> extends EventEmitter<Events> {
  protected abstract listenersChanged(): void;

  override on<E extends Name<Events>>(event: E, fn: Listener<Events, E>, context?: unknown): this {
    super.on(event, fn, context);
    this.listenersChanged();
    return this;
  }

  override addListener<E extends Name<Events>>(event: E, fn: Listener<Events, E>, context?: unknown): this {
    return this.on(event, fn, context);
  }

  override once<E extends Name<Events>>(event: E, fn: Listener<Events, E>, context?: unknown): this {
    super.once(event, fn, context);
    this.listenersChanged();
    return this;
  }

  override removeListener<E extends Name<Events>>(
    event: E,
    fn?: Listener<Events, E>,
    context?: unknown,
    once?: boolean,
  ): this {
    super.removeListener(event, fn, context, once);
    this.listenersChanged();
    return this;
  }

  override off<E extends Name<Events>>(event: E, fn?: Listener<Events, E>, context?: unknown, once?: boolean): this {
    return this.removeListener(event, fn, context, once);
  }

  override removeAllListeners(event?: Name<Events>): this {
    super.removeAllListeners(event);
    this.listenersChanged();
    return this;
  }
}

type Name<Events extends object> = EventEmitter.EventNames<Events>;
type Listener<Events extends object, E extends Name<Events>> = EventEmitter.EventListener<Events, E>;
