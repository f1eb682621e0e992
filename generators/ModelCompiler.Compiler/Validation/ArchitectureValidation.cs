using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Validation;

/// <summary>Sizes and constants of an architecture.</summary>
internal sealed class ArchitectureValidation
{
    /// <summary>Sizes up to it are exact in Float32, and products of two with all that is counted of them fit 64 bits.</summary>
    private const int LargestSize = 1 << 24;

    private const int MostLayers = 10_000;

    private const double MostParameters = 1L << 50;

    private readonly List<Problem> _problems = [];

    private ArchitectureValidation()
    {
    }

    public static EquatableArray<Problem> Check(ModelSpec spec)
    {
        var validation = new ArchitectureValidation();
        validation.CheckModel(spec);
        foreach (SublayerSpec sublayer in spec.Block.Sublayers)
        {
            validation.CheckNorm(sublayer.Norm, sublayer.PropertyName);
            if (sublayer.Attention is { } attention)
            {
                validation.CheckAttention(attention, sublayer.PropertyName, spec.Width);
                validation.CheckNorm(attention.QueryKeyNorm, sublayer.PropertyName, "QueryKeyNorm");
                if (attention.RotaryLayers.Length > 0 && spec.Block.Repeat > 0 && LayerSet.Find(attention.RotaryLayers, spec.Block.Repeat) is null)
                {
                    validation.Add(ProblemIds.RotaryLayersOutside, new Origin(sublayer.PropertyName, "Rotary", "Layers"), attention.RotaryLayers, Text(spec.Block.Repeat - 1));
                }
            }

            if (sublayer.FeedForward is { } feedForward)
            {
                validation.CheckSize(feedForward.Hidden, new Origin(sublayer.PropertyName, feedForward.Kind.ToString(), "Hidden"));
            }
        }

        if (validation._problems.Count == 0)
        {
            validation.CheckParameters(spec);
        }

        return new EquatableArray<Problem>(validation._problems);
    }

    private void CheckModel(ModelSpec spec)
    {
        CheckSize(spec.Vocabulary, new Origin("", "Transformer", "Vocabulary"));
        CheckSize(spec.Width, new Origin("", "Transformer", "Width"));
        if (spec.Context <= 0)
        {
            Add(ProblemIds.ContextNotPositive, new Origin("", "Transformer", "Context"), Text(spec.Context));
        }
        else
        {
            CheckSize(spec.Context, new Origin("", "Transformer", "Context"));
        }

        if (spec.Embedding.Scale == 0 || !IsFinite(spec.Embedding.Scale))
        {
            Add(ProblemIds.EmbeddingScaleUnusable, new Origin("", "TokenEmbedding", "Scale"), Text(spec.Embedding.Scale));
        }

        if (!(spec.Head.SoftCap >= 0 && IsFinite(spec.Head.SoftCap)))
        {
            Add(ProblemIds.SoftCapNegative, new Origin("", "Head", "SoftCap"), Text(spec.Head.SoftCap));
        }

        CheckNorm(spec.FinalNorm, "");
        if (spec.Block.Repeat <= 0)
        {
            Add(ProblemIds.RepeatNotPositive, new Origin(spec.Block.ClassName, "Block", "Repeat"), Text(spec.Block.Repeat));
        }
        else if (spec.Block.Repeat > MostLayers)
        {
            Add(ProblemIds.SizeTooLarge, new Origin(spec.Block.ClassName, "Block", "Repeat"), "Block.Repeat", Text(spec.Block.Repeat), Text(MostLayers));
        }
    }

    private void CheckNorm(NormSpec? norm, string member, string? name = null)
    {
        if (norm is not null && !(norm.Shape.Epsilon > 0 && IsFinite(norm.Shape.Epsilon)))
        {
            string attribute = name ?? (norm.Kind == NormKind.Rms ? "RmsNorm" : "LayerNorm");
            Add(ProblemIds.EpsilonNotPositive, new Origin(member, attribute, "Epsilon"), attribute, Text(norm.Shape.Epsilon));
        }
    }

    private void CheckAttention(AttentionSpec attention, string member, int width)
    {
        CheckSize(attention.Shape.Heads, new Origin(member, "Attention", "Heads"));
        if (attention.Shape.Heads is <= 0 or > LargestSize)
        {
            return;
        }

        if (attention.Shape.KeyValueHeads <= 0)
        {
            CheckSize(attention.Shape.KeyValueHeads, new Origin(member, "Attention", "KeyValueHeads"));
        }
        else if (attention.Shape.Heads % attention.Shape.KeyValueHeads != 0)
        {
            Add(ProblemIds.KeyValueHeadsDoNotDivideHeads, new Origin(member, "Attention", "KeyValueHeads"), Text(attention.Shape.KeyValueHeads), Text(attention.Shape.Heads));
        }

        else
        {
            CheckSize(attention.Shape.Heads, attention.Shape.HeadWidth, new Origin(member, "Attention", attention.Shape.HeadWidth * (long)attention.Shape.Heads == width ? "Heads" : "HeadWidth"));
        }

        // The front end leaves a head width of 0 where the heads do not divide the width.
        if (attention.Shape.HeadWidth == 0 && width > 0)
        {
            Add(ProblemIds.HeadsDoNotDivideWidth, new Origin(member, "Attention", "Heads"), Text(attention.Shape.Heads), Text(width));
        }
        else if (attention.Shape.HeadWidth < 0)
        {
            CheckSize(attention.Shape.HeadWidth, new Origin(member, "Attention", "HeadWidth"));
        }
        else if (attention.Shape.HeadWidth > 0 && attention.Rotary is { } rotary)
        {
            CheckRotary(rotary, member);
        }
    }

    private void CheckRotary(RotaryShape rotary, string member)
    {
        var width = new Origin(member, "Rotary", "Width");
        if (rotary.Width <= 0)
        {
            CheckSize(rotary.Width, width);
        }
        else if (rotary.Width > rotary.HeadWidth)
        {
            Add(ProblemIds.RotaryWidthAboveHeadWidth, width, Text(rotary.Width), Text(rotary.HeadWidth));
        }
        else if (rotary.Width % 2 != 0)
        {
            Add(ProblemIds.OddRotaryWidth, width, Text(rotary.Width));
        }

        if (!(rotary.Theta > 1 && IsFinite(rotary.Theta)))
        {
            Add(ProblemIds.ThetaNotAboveOne, width with { Argument = "Theta" }, Text(rotary.Theta));
        }

        if (ScalingProblem(rotary.Scaling) is var (argument, value, why))
        {
            Add(ProblemIds.RotaryScalingUnusable, width with { Argument = argument }, argument, value, why);
        }
    }

    /// <summary>The first argument that is wrong; null: none.</summary>
    private static (string Argument, string Value, string Why)? ScalingProblem(FrequencyScaling s)
    {
        if (s.Kind is < RotaryScaling.None or > RotaryScaling.Llama3)
        {
            return ("Scaling", Text((int)s.Kind), "it must be a member of RotaryScaling");
        }

        if (s.Kind != RotaryScaling.None && !(s.Factor >= 1 && IsFinite(s.Factor)))
        {
            return ("Factor", Text(s.Factor), "it divides the frequencies, so it must be finite and at least 1");
        }

        if (s.Kind == RotaryScaling.Llama3)
        {
            return !(s.LowFrequencyFactor > 0) ? ("LowFrequencyFactor", Text(s.LowFrequencyFactor), "it must be positive")
                : !(s.HighFrequencyFactor > s.LowFrequencyFactor && IsFinite(s.HighFrequencyFactor))
                    ? ("HighFrequencyFactor", Text(s.HighFrequencyFactor), $"it must be finite and above LowFrequencyFactor, {Text(s.LowFrequencyFactor)}")
                : s.OriginalContext < 0 ? ("OriginalContext", Text(s.OriginalContext), "it must be positive")
                : null;
        }

        const string idle = "it has no effect without Scaling = RotaryScaling.Llama3";
        return s.Kind == RotaryScaling.None && s.Factor != 0 ? ("Factor", Text(s.Factor), "it has no effect without Scaling")
            : s.LowFrequencyFactor != 0 ? ("LowFrequencyFactor", Text(s.LowFrequencyFactor), idle)
            : s.HighFrequencyFactor != 0 ? ("HighFrequencyFactor", Text(s.HighFrequencyFactor), idle)
            : s.OriginalContext != 0 ? ("OriginalContext", Text(s.OriginalContext), idle)
            : null;
    }

    // All heads side by side are one size more.
    private void CheckSize(int heads, int headWidth, Origin origin)
    {
        if ((long)heads * headWidth > LargestSize)
        {
            Add(ProblemIds.SizeTooLarge, origin, "Attention.Heads * HeadWidth", ((long)heads * headWidth).ToString(CultureInfo.InvariantCulture), Text(LargestSize));
        }
    }

    private void CheckSize(int value, Origin origin)
    {
        if (value <= 0)
        {
            Add(ProblemIds.SizeNotPositive, origin, origin.Attribute + "." + origin.Argument, Text(value));
        }
        else if (value > LargestSize)
        {
            Add(ProblemIds.SizeTooLarge, origin, origin.Attribute + "." + origin.Argument, Text(value), Text(LargestSize));
        }
    }

    private void CheckParameters(ModelSpec spec)
    {
        double inLayers = 0, outside = 0;
        foreach (ProjectionSize size in ProjectionSize.Of(spec))
        {
            double elements = (double)size.In * size.Out;
            (inLayers, outside) = size.Projection == Projections.Head ? (inLayers, outside + 2 * elements) : (inLayers + elements, outside);
        }

        double parameters = inLayers * spec.Block.Repeat + outside + (spec.LearnedPositions ? (double)spec.Context * spec.Width : 0);
        if (parameters > MostParameters)
        {
            Add(ProblemIds.SizeTooLarge, new Origin("", "Transformer"), $"The number of parameters of '{spec.Type.Name}'", Text((float)parameters), Text((float)MostParameters));
        }
    }

    private void Add(string id, Origin origin, params string[] arguments) => _problems.Add(new Problem(id, origin, new EquatableArray<string>(arguments)));

    private static bool IsFinite(float value) => !float.IsNaN(value) && !float.IsInfinity(value);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
