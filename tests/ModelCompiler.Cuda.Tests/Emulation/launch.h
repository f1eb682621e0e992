// Runs a kernel over a grid, its arguments taken out of the packed bytes by the rule of the ABI.
#pragma once
#include "device.cuh"
#include <setjmp.h>
#include <ucontext.h>

struct Launch
{
    int gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
};

Place place;
u32 exchanged[MAXIMUM_THREADS];

struct Fiber
{
    ucontext_t first;
    jmp_buf paused;
    int point;
    bool started;
    bool live;
};

constexpr int StackBytes = 1 << 16;
static Fiber fibers[MAXIMUM_THREADS];
alignas(16) static char stacks[MAXIMUM_THREADS][StackBytes];
static jmp_buf scheduler;
static void (*body)(const u8*);
static const u8* packed;

// Back to the scheduler. Jumps, unlike contexts, are switched without a system call.
static void pause(Fiber& own)
{
    if (_setjmp(own.paused) == 0)
    {
        _longjmp(scheduler, 1);
    }
}

void meet(int point)
{
    Fiber& own = fibers[place.thread];
    own.point = point;
    pause(own);
}

// A fiber serves block after block.
static void serve()
{
    Fiber& own = fibers[place.thread];
    for (;;)
    {
        body(packed);
        own.live = false;
        pause(own);
    }
}

// Runs a thread until it pauses.
static void resume(Fiber& fiber)
{
    if (_setjmp(scheduler) != 0)
    {
        return;
    }

    if (fiber.started)
    {
        _longjmp(fiber.paused, 1);
    }

    fiber.started = true;
    getcontext(&fiber.first);
    fiber.first.uc_stack.ss_sp = stacks[place.thread];
    fiber.first.uc_stack.ss_size = StackBytes;
    makecontext(&fiber.first, serve, 0);
    setcontext(&fiber.first);
}

// Runs a warp, whose lanes meet at shuffles by themselves, until it waits for other warps or ends. Whether its lanes came to the same points.
static bool runWarp(int first, bool backwards)
{
    int point;
    do
    {
        point = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            place.thread = first + (backwards ? 31 - lane : lane);
            Fiber& fiber = fibers[place.thread];
            if (!fiber.live)
            {
                continue;
            }

            resume(fiber);
            if (fiber.live && point != 0 && fiber.point != point)
            {
                return false;
            }

            point = fiber.live ? fiber.point : point;
        }
    } while (point > Barrier);
    return true;
}

// One block. Each warp runs from barrier to barrier before the next one does, from the last to the first where that is asked: a missing
// barrier shows as another result.
static bool runBlock(int threads, bool backwards)
{
    for (int i = 0; i < threads; i++)
    {
        fibers[i].live = true;
    }

    bool any;
    do
    {
        for (int i = 0; i < threads; i += 32)
        {
            if (!runWarp(backwards ? threads - 32 - i : i, backwards))
            {
                return false;
            }
        }

        any = false;
        for (int i = 0; i < threads; i++)
        {
            any |= fibers[i].live;
        }
    } while (any);
    return true;
}

static bool run(const Launch* launch, bool backwards)
{
    place.threads = launch->blockX;
    place.gridX = launch->gridX;
    place.gridY = launch->gridY;
    for (place.blockY = 0; place.blockY < launch->gridY; place.blockY++)
    {
        for (place.blockX = 0; place.blockX < launch->gridX; place.blockX++)
        {
            if (!runBlock(launch->blockX, backwards))
            {
                return false;
            }
        }
    }

    return true;
}

template <class T>
T take(const u8*& at)
{
    at = (const u8*)(((u64)at + alignof(T) - 1) / alignof(T) * alignof(T));
    const T* value = (const T*)at;
    at += sizeof(T);
    return *value;
}

// The arguments in braces are taken in their order.
template <class... P>
struct Call
{
    Call(void (*kernel)(P...), P... arguments) { kernel(arguments...); }
};

template <class... P>
void call(void (*kernel)(P...), const u8* at)
{
    Call<P...>{kernel, take<P>(at)...};
}

#define EMULATE(name)                                                                                         \
    extern "C" bool emulate_##name(const Launch* launch, bool backwards, const u8* arguments)                 \
    {                                                                                                         \
        body = [](const u8* at) { call(&name, at); };                                                         \
        packed = arguments;                                                                                   \
        return run(launch, backwards);                                                                        \
    }
