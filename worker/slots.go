package main

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/worker"

	"github.com/meterkey/meterkey/internal/browser"
)

// windowSlots gives out a slot for each window that the host could still open. While none is free it asks the server for
// no login at all, so that another worker takes it, or it waits in the queue.
type windowSlots struct{ host *browser.Host }

// signInTuner limits logins by windows; the rest of what a worker may run does not happen on this task queue.
func signInTuner(host *browser.Host) (worker.WorkerTuner, error) {
	unused, err := worker.NewFixedSizeSlotSupplier(2)
	if err != nil {
		return nil, fmt.Errorf("setting up slots: %w", err)
	}
	tuner, err := worker.NewCompositeTuner(worker.CompositeTunerOptions{
		WorkflowSlotSupplier: unused, ActivitySlotSupplier: windowSlots{host}, LocalActivitySlotSupplier: unused,
		NexusSlotSupplier: unused, SessionActivitySlotSupplier: unused,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up slots: %w", err)
	}
	return tuner, nil
}

// ReserveSlot waits until a window is free.
func (s windowSlots) ReserveSlot(ctx context.Context, _ worker.SlotReservationInfo) (*worker.SlotPermit, error) {
	release, err := s.host.Reserve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // the worker stops: not worth a log line
		}
		return nil, err
	}
	return &worker.SlotPermit{UserData: release}, nil
}

// TryReserveSlot refuses: logins are never started eagerly, they come from another worker's workflows.
func (s windowSlots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit { return nil }

// MarkSlotUsed has nothing to do: a login itself says when it has its window.
func (s windowSlots) MarkSlotUsed(worker.SlotMarkUsedInfo) {}

// ReleaseSlot frees what ReserveSlot reserved.
func (s windowSlots) ReleaseSlot(info worker.SlotReleaseInfo) {
	if release, ok := info.Permit().UserData.(func()); ok {
		release()
	}
}

// MaxSlots is the host's capacity.
func (s windowSlots) MaxSlots() int { return s.host.Capacity() }
